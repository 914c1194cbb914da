import CMongo
import Control
import Model

/// What the stores do with one collection.
struct MongoCollection: Sendable {
    /// What a document may have, in bytes, in every version of MongoDB.
    static let documentLimit = 16 * 1024 * 1024

    let connection: MongoConnection
    let name: CollectionName
    /// Whether what is read must be the latest: from the primary, whatever the URI prefers.
    var isReadFromPrimary = false

    func describe(_ operation: String) -> String { "\(operation) \(name)" }

    /// Reads documents, each turned into a value while its bytes last. All of them, or an error.
    func find<Value: Sendable>(
        _ operation: String,
        filter: JSONObject,
        options: JSONObject,
        _ read: @escaping @Sendable (UnsafeRawBufferPointer) -> Value
    ) async throws(StoreError) -> [Value] {
        let what = describe(operation)
        let (filter, options) = (try encode(filter, what), try encode(options, what))
        return try await connection.call(what) { client throws(StoreError) in
            let collection = try CollectionHandle(client, name)
            let filter = try document(filter, what)
            let options = try document(options, what)
            let primary = isReadFromPrimary ? mongoc_read_prefs_new(MONGOC_READ_PRIMARY) : nil
            defer { mongoc_read_prefs_destroy(primary) }
            let found = mongoc_collection_find_with_opts(collection.pointer, filter.pointer, options.pointer, primary)
            return try values(of: found, what, read)
        }
    }

    /// Reads what an aggregation makes of the documents, each turned into a value while its bytes last. All of it, or an
    /// error.
    func aggregate<Value: Sendable>(
        _ operation: String,
        pipeline: [JSONValue],
        _ read: @escaping @Sendable (UnsafeRawBufferPointer) -> Value
    ) async throws(StoreError) -> [Value] {
        let what = describe(operation)
        let pipeline = try encode(["pipeline": .array(pipeline)], what)
        let options = try encode(["allowDiskUse": true, "batchSize": 1000], what)
        return try await connection.call(what) { client throws(StoreError) in
            let collection = try CollectionHandle(client, name)
            let pipeline = try document(pipeline, what)
            let options = try document(options, what)
            let primary = isReadFromPrimary ? mongoc_read_prefs_new(MONGOC_READ_PRIMARY) : nil
            defer { mongoc_read_prefs_destroy(primary) }
            let found = mongoc_collection_aggregate(
                collection.pointer,
                MONGOC_QUERY_NONE,
                pipeline.pointer,
                options.pointer,
                primary
            )
            return try values(of: found, what, read)
        }
    }

    private func values<Value>(
        of found: OpaquePointer?,
        _ what: String,
        _ read: (UnsafeRawBufferPointer) -> Value
    ) throws(StoreError) -> [Value] {
        guard let cursor = CursorHandle(found) else { throw outOfMemory(what) }
        var values: [Value] = []
        var next: OpaquePointer?
        while mongoc_cursor_next(cursor.pointer, &next), let document = next {
            values.append(read(UnsafeRawBufferPointer(documentOf: document)))
        }
        var error = bson_error_t()
        guard !mongoc_cursor_error(cursor.pointer, &error) else { throw StoreError(error, what, connection.uri) }
        return values
    }

    /// Changes the first document that has the id, or makes one.
    func upsert(_ operation: String, id: BotID, update: JSONObject) async throws(StoreError) {
        let what = describe("\(operation) \(id.text.escapedForMessage) in")
        let (filter, update) = (try encode(["id": .string(id.text)], what), try encode(update, what))
        // The library's own check refuses empty keys; ours has been done, and the server does its own.
        let options = try encode(["upsert": true, "validate": false], what)
        try await connection.call(what) { client throws(StoreError) in
            let collection = try CollectionHandle(client, name)
            let filter = try document(filter, what)
            let update = try document(update, what)
            let options = try document(options, what)
            try write(what) { reply, error in
                cmongo_update_one(collection.pointer, filter.pointer, update.pointer, options.pointer, &reply, &error)
            }
        }
    }

    /// Removes every document that has the id.
    func delete(_ operation: String, id: BotID) async throws(StoreError) {
        let what = describe("\(operation) \(id.text.escapedForMessage) in")
        let filter = try encode(["id": .string(id.text)], what)
        try await connection.call(what) { client throws(StoreError) in
            let collection = try CollectionHandle(client, name)
            let filter = try document(filter, what)
            try write(what) { reply, error in
                cmongo_delete_many(collection.pointer, filter.pointer, &reply, &error)
            }
        }
    }

    /// Runs a command that writes.
    func command(_ operation: String, _ command: JSONObject) async throws(StoreError) {
        let what = describe(operation)
        let command = try encode(command, what)
        try await connection.call(what) { client throws(StoreError) in
            let collection = try CollectionHandle(client, name)
            let command = try document(command, what)
            try write(what) { reply, error in cmongo_write_command(collection.pointer, command.pointer, &reply, &error)
            }
        }
    }

    /// Runs a command that writes many things, each by itself.
    /// - Parameter command: a document of BSON.
    /// - Returns: how many were written, and which were refused.
    /// - Throws: `StoreError` when it isn't known what was written.
    func writeEach(_ operation: String, _ command: [UInt8]) async throws(StoreError) -> WriteTally {
        let what = describe(operation)
        return try await connection.call(what) { client throws(StoreError) in
            let collection = try CollectionHandle(client, name)
            let command = try document(command, what)
            var pointer: OpaquePointer?
            var error = bson_error_t()
            let isDone = cmongo_write_command(collection.pointer, command.pointer, &pointer, &error)
            let reply = BSONDocument(owning: pointer)
            guard isDone else { throw StoreError(error, what, connection.uri) }
            guard let reply else { throw outOfMemory(what) }
            switch reply.withBytes({ WriteTally.of(reply: $0) }) {
            case .success(let tally): return tally
            case .failure(let failure): throw StoreError(failure, what, connection.uri)
            }
        }
    }

    /// Success is what both the call and the reply say: the library takes a reply with `writeErrors` for success
    /// in some calls.
    private func write(
        _ what: String,
        _ body: (inout OpaquePointer?, inout bson_error_t) -> Bool
    ) throws(StoreError) {
        var pointer: OpaquePointer?
        var error = bson_error_t()
        let isDone = body(&pointer, &error)
        let reply = BSONDocument(owning: pointer)
        guard isDone else { throw StoreError(error, what, connection.uri) }
        guard let reply else { throw outOfMemory(what) }
        if let failure = reply.withBytes({ MongoError(reply: $0) }) { throw StoreError(failure, what, connection.uri) }
    }

    func encode(_ object: JSONObject, _ what: String) throws(StoreError) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try BSONWriter.document(object) } catch { throw StoreError(error, what) }
        guard bytes.count <= Self.documentLimit else {
            throw StoreError(
                .refused,
                "\(what): the document has \(bytes.count) bytes; MongoDB takes at most \(Self.documentLimit)"
            )
        }
        return bytes
    }
}

private func document(_ bytes: [UInt8], _ what: String) throws(StoreError) -> BSONDocument {
    guard let document = BSONDocument(bytes) else { throw outOfMemory(what) }
    return document
}

private func outOfMemory(_ what: String) -> StoreError { StoreError(.unavailable, "\(what): out of memory") }
