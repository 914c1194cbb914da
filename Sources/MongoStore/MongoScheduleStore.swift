public import Control
public import Model

/// The schedules of a collection of MongoDB, with their cursors.
public struct MongoScheduleStore: ScheduleStore, BotWriting {
    let documents: BotDocuments<StoredSchedule>

    var collection: MongoCollection { documents.collection }
    var connection: MongoConnection { documents.collection.connection }

    /// The schedules of a collection.
    ///
    /// - Parameters:
    ///   - connection: how to reach the server.
    ///   - database: the database's name.
    ///   - collection: the collection's name.
    public init(_ connection: MongoConnection, database: String = "bot_scheduler", collection: String = "bot_schedules")
    {
        documents = BotDocuments(
            connection,
            CollectionName(database: database, collection: collection),
            isReadFromPrimary: true
        )
    }

    /// Every schedule of the collection, read in one pass; a document that can't be used is one entry among the others.
    public func schedules() async throws(StoreError) -> [StoredSchedule] { try await documents.all() }

    /// Those of some ids that there are.
    public func schedules(_ ids: [BotID]) async throws(StoreError) -> [StoredSchedule] {
        try await documents.some(ids)
    }

    /// Whether the collection has no document.
    public func isEmpty() async throws(StoreError) -> Bool { try await documents.isEmpty() }

    /// Adds a schedule unless there is one of its id. It has no cursor then, which its scheduler sees.
    public func create(_ document: BotDocument) async throws(StoreError) { try await documents.create(document) }

    /// Sets top-level fields of a schedule, adding it if need be; its other fields stay as they are, the cursor too: whether it
    /// still holds is told by the basis beside it.
    public func update(_ document: BotDocument) async throws(StoreError) { try await documents.update(document) }

    /// Removes every document of the id.
    public func delete(_ id: BotID) async throws(StoreError) { try await documents.delete(id) }

    /// Whether schedules can be read now. (A `ping` is answered before credentials are looked at.)
    /// - Throws: `StoreError` saying why not.
    public func check() async throws(StoreError) { _ = try await documents.isEmpty() }

    /// Makes the unique index on `id` unless there is one. When the server refuses it, that is logged as a warning and the
    /// runtime works without it, slowly.
    /// - Throws: `StoreError` when the server can't be asked.
    @discardableResult
    public func ensureIndex() async throws(StoreError) -> MongoIndexOutcome { try await collection.ensureIndexOnID() }
}
