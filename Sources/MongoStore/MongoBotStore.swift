public import Control
public import Model

/// The bots of a collection of MongoDB.
public struct MongoBotStore: WritableBotStore {
    let connection: MongoConnection
    let collection: MongoCollection

    /// The bots of a collection.
    ///
    /// - Parameters:
    ///   - connection: how to reach the server.
    ///   - database: the database's name.
    ///   - collection: the collection's name.
    public init(_ connection: MongoConnection, database: String = "bot_runner", collection: String = "bots") {
        self.connection = connection
        self.collection = MongoCollection(
            connection: connection,
            name: CollectionName(database: database, collection: collection)
        )
    }

    /// Every bot of the collection, read in one pass; a document that can't be used is one entry among the others.
    public func bots() async throws(StoreError) -> [StoredBot] {
        StoredBot.resolvingDuplicates(
            try await collection.find(
                "reading",
                filter: JSONObject(),
                options: ["projection": Self.projection, "batchSize": 1000],
                StoredBot.init(bson:)
            )
        )
    }

    /// One bot, or nil when no document has its id.
    public func bot(_ id: BotID) async throws(StoreError) -> StoredBot? {
        let found = try await collection.find(
            "reading \(id.text.escapedForMessage) from",
            filter: ["id": .string(id.text)],
            options: ["projection": Self.projection],
            StoredBot.init(bson:)
        )
        return StoredBot.resolvingDuplicates(found).first
    }

    /// Adds a bot unless there is one of its id.
    public func create(_ document: BotDocument) async throws(StoreError) {
        try await write("creating", document, as: "$setOnInsert")
    }

    /// Sets top-level fields of a bot, adding it if need be; its other fields stay as they are.
    public func update(_ document: BotDocument) async throws(StoreError) {
        try await write("updating", document, as: "$set")
    }

    /// Removes every document of the id.
    public func delete(_ id: BotID) async throws(StoreError) {
        try await collection.delete("deleting", id: id)
    }

    /// Whether bots can be read now. (A `ping` is answered before credentials are looked at.)
    /// - Throws: `StoreError` saying why not.
    public func check() async throws(StoreError) {
        _ = try await collection.find(
            "reading",
            filter: JSONObject(),
            options: ["projection": ["_id": 1], "limit": 1],
            { _ in }
        )
    }

    /// Long texts of a custom bot that nothing here reads. Left out rather than the others picked, so that a document
    /// that is broken arrives as it is.
    private static let projection: JSONValue = [
        "custom.config.readme": 0, "custom.config.schema": 0, "custom.config.metadata": 0,
        "custom.config.description": 0,
    ]

    private func write(_ operation: String, _ document: BotDocument, as change: String) async throws(StoreError) {
        let id: BotID
        do { id = try BotID(validating: document.id.text) } catch {
            throw StoreError(.refused, "\(operation) a bot in \(collection.name): \(error)", cause: error)
        }
        let update = try update(of: document.fields, as: change, operation)
        do {
            try await collection.upsert(operation, id: id, update: update)
        } catch {
            // Another upsert of the same id came between looking and inserting: now there is one to change.
            guard error.mongoError?.isDuplicateKey == true else { throw error }
            try await collection.upsert(operation, id: id, update: update)
        }
    }

    private func update(
        of fields: JSONObject,
        as change: String,
        _ operation: String
    ) throws(StoreError) -> JSONObject {
        var changed = fields
        for key in fields.keys {
            guard !["id", "_id", "segment_id"].contains(key), !key.isEmpty, !key.contains("."), !key.hasPrefix("$")
            else {
                throw StoreError(
                    .refused,
                    "\(operation) a bot in \(collection.name): field \(key.escapedForMessage) can't be set; "
                        + "allowed are top-level fields other than id, _id and segment_id"
                )
            }
        }
        var inserted: JSONObject = ["segment_id": 0]
        if change == "$setOnInsert" {
            for (key, value) in fields.members { inserted[key] = value }
            changed = JSONObject()
        }
        var update: JSONObject = ["$setOnInsert": .object(inserted)]
        // An empty $set is an error before version 5.
        if !changed.isEmpty { update["$set"] = .object(changed) }
        return update
    }
}
