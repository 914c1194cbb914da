import Control
import Model

/// A collection whose documents are the platform's bots, live or scheduled.
struct BotDocuments<Entry: DocumentEntry>: Sendable {
    let collection: MongoCollection
    private let decoded = DecodedDocuments<Entry>()

    init(_ connection: MongoConnection, _ name: CollectionName, isReadFromPrimary: Bool = false) {
        collection = MongoCollection(connection: connection, name: name, isReadFromPrimary: isReadFromPrimary)
    }

    /// Every document, read in one pass; one that can't be used is one entry among the others.
    func all() async throws(StoreError) -> [Entry] {
        let reading = decoded.reading()
        let entries = try await read("reading", filter: JSONObject(), reading.read)
        decoded.finish(reading, entries)
        return Entry.resolvingDuplicates(entries)
    }

    /// The documents of an id.
    func one(_ id: BotID) async throws(StoreError) -> [Entry] {
        Entry.resolvingDuplicates(
            try await read("reading \(id.text.escapedForMessage) from", filter: ["id": .string(id.text)])
        )
    }

    /// The documents of some ids.
    func some(_ ids: [BotID]) async throws(StoreError) -> [Entry] {
        var entries: [Entry] = []
        for part in Set(ids).map(\.text).inParts(bytes: \.utf8.count) {
            entries += try await read(
                "reading \(part.count) ids from",
                filter: ["id": ["$in": .array(part.map(JSONValue.string))]]
            )
        }
        return Entry.resolvingDuplicates(entries)
    }

    /// Whether there is no document.
    func isEmpty() async throws(StoreError) -> Bool {
        try await collection.find(
            "reading",
            filter: JSONObject(),
            options: ["projection": ["_id": 1], "limit": 1],
            { _ in }
        ).isEmpty
    }

    /// Adds a document unless there is one of its id.
    func create(_ document: BotDocument) async throws(StoreError) {
        try await write("creating", document, as: "$setOnInsert")
    }

    /// Sets top-level fields of a document, adding it if need be; its other fields stay as they are.
    func update(_ document: BotDocument) async throws(StoreError) {
        try await write("updating", document, as: "$set")
    }

    /// Removes every document of the id.
    func delete(_ id: BotID) async throws(StoreError) {
        try await collection.delete("deleting", id: id)
    }

    private func read(
        _ operation: String,
        filter: JSONObject,
        _ entry: @escaping @Sendable (UnsafeRawBufferPointer) -> Entry = Entry.init(bson:)
    ) async throws(StoreError) -> [Entry] {
        // Long texts of a custom bot that nothing here reads. Left out rather than the others picked, so that a document
        // that is broken arrives as it is.
        let projection: JSONValue = [
            "custom.config.readme": 0, "custom.config.schema": 0, "custom.config.metadata": 0,
            "custom.config.description": 0,
        ]
        return try await collection.find(
            operation,
            filter: filter,
            options: ["projection": projection, "batchSize": 1000],
            entry
        )
    }

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
