public import Control
public import Model

/// The bots of a collection of MongoDB.
public struct MongoBotStore: BotStore, BotWriting {
    let documents: BotDocuments<StoredBot>

    var collection: MongoCollection { documents.collection }
    var connection: MongoConnection { documents.collection.connection }

    /// The bots of a collection.
    ///
    /// - Parameters:
    ///   - connection: how to reach the server.
    ///   - database: the database's name.
    ///   - collection: the collection's name.
    public init(_ connection: MongoConnection, database: String = "bot_runner", collection: String = "bots") {
        documents = BotDocuments(connection, CollectionName(database: database, collection: collection))
    }

    /// Every bot of the collection, read in one pass; a document that can't be used is one entry among the others.
    public func bots() async throws(StoreError) -> [StoredBot] { try await documents.all() }

    /// One bot, or nil when no document has its id.
    public func bot(_ id: BotID) async throws(StoreError) -> StoredBot? { try await documents.one(id).first }

    /// Whether the collection has no document.
    public func isEmpty() async throws(StoreError) -> Bool { try await documents.isEmpty() }

    /// Adds a bot unless there is one of its id.
    public func create(_ document: BotDocument) async throws(StoreError) { try await documents.create(document) }

    /// Sets top-level fields of a bot, adding it if need be; its other fields stay as they are.
    public func update(_ document: BotDocument) async throws(StoreError) { try await documents.update(document) }

    /// Removes every document of the id.
    public func delete(_ id: BotID) async throws(StoreError) { try await documents.delete(id) }

    /// Whether bots can be read now. (A `ping` is answered before credentials are looked at.)
    /// - Throws: `StoreError` saying why not.
    public func check() async throws(StoreError) { _ = try await documents.isEmpty() }

    /// Makes the unique index on `id` unless there is one. When the server refuses it, that is logged as a warning and the
    /// runtime works without it.
    /// - Throws: `StoreError` when the server can't be asked.
    @discardableResult
    public func ensureIndex() async throws(StoreError) -> IndexOutcome { try await collection.ensureIndexOnID() }

    /// What became of the unique index on `id`.
    public typealias IndexOutcome = MongoIndexOutcome
}
