import CMongo
import Control
import Model

/// One open change stream, with a client of its own: a client of the pool would be gone for as long as the stream lives,
/// and one that stands alone needs no monitoring threads.
///
/// Safety: used by one call at a time, and freed by the last of them.
final class ChangeStream: @unchecked Sendable {
    /// How long the server holds a question open when nothing changes, in milliseconds. So long goes on, at most, what a
    /// cancelled caller leaves behind.
    static let longestWait: Int64 = 5000

    private let client: OpaquePointer
    private let collection: CollectionHandle
    private let stream: OpaquePointer
    private let uri: MongoURI
    private let what: String
    private let interest: ChangeInterest

    /// Opens a stream of what changes from now on.
    init(_ uri: MongoURI, _ name: CollectionName, _ interest: ChangeInterest = .everything) throws(StoreError) {
        let what = "watching \(name)"
        var error = bson_error_t()
        guard let client = mongoc_client_new_from_uri_with_error(uri.pointer, &error) else {
            throw StoreError(error, what, uri)
        }
        do throws(StoreError) {
            mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2)
            // Asked for by itself, a server that can't be found says why; opening the stream tries twice, and the second
            // attempt only reports that it came too soon.
            guard let server = mongoc_client_select_server(client, false, nil, &error) else {
                throw StoreError(error, what, uri)
            }
            mongoc_server_description_destroy(server)
            collection = try CollectionHandle(client, name)
            stream = try Self.open(collection.pointer, interest, uri, what)
        } catch {
            mongoc_client_destroy(client)
            throw error
        }
        self.client = client
        self.uri = uri
        self.what = what
        self.interest = interest
    }

    deinit {
        mongoc_change_stream_destroy(stream)
        mongoc_client_destroy(client)
    }

    /// Waits for the next change; nil when nothing changed for a while.
    /// - Throws: `StoreError` when the stream is lost for good. What passes by itself, the library gets over with its
    ///   resume token.
    func next() throws(StoreError) -> Wake? {
        var event: OpaquePointer?
        if mongoc_change_stream_next(stream, &event), let event {
            return Wake(change: UnsafeRawBufferPointer(documentOf: event), idField: interest.idField)
        }
        try Self.check(stream, uri, what)
        return nil
    }

    private static func open(
        _ collection: OpaquePointer,
        _ interest: ChangeInterest,
        _ uri: MongoURI,
        _ what: String
    ) throws(StoreError) -> OpaquePointer {
        let wanted = interest.match.map { ["$match": .object($0)] as JSONValue }
        let short: JSONValue = ["$project": ["operationType": 1, "fullDocument.\(interest.idField)": 1]]
        let pipeline: JSONObject = ["pipeline": .array((wanted.map { [$0] } ?? []) + [short])]
        // The server waits half as long as we do before a silent connection counts as lost.
        let wait = uri.socketTimeout > 0 ? min(longestWait, Int64(uri.socketTimeout) / 2) : longestWait
        let options: JSONObject = ["fullDocument": "updateLookup", "maxAwaitTimeMS": .integer(max(1, wait))]
        let encoded: ([UInt8], [UInt8])
        do { encoded = (try BSONWriter.document(pipeline), try BSONWriter.document(options)) } catch {
            throw StoreError(error, what)
        }
        guard let pipeline = BSONDocument(encoded.0), let options = BSONDocument(encoded.1),
            let stream = mongoc_collection_watch(collection, pipeline.pointer, options.pointer)
        else { throw StoreError(.unavailable, "\(what): out of memory") }
        do throws(StoreError) { try check(stream, uri, what) } catch {
            mongoc_change_stream_destroy(stream)
            throw error
        }
        return stream
    }

    private static func check(_ stream: OpaquePointer, _ uri: MongoURI, _ what: String) throws(StoreError) {
        var error = bson_error_t()
        guard mongoc_change_stream_error_document(stream, &error, nil) else { return }
        throw StoreError(error, what, uri)
    }
}

extension Wake {
    /// What a change says to look at again: the bot, where the document still tells, else everything. A removal only
    /// carries Mongo's own `_id`, and dropping or renaming the collection concerns all bots.
    init(change: UnsafeRawBufferPointer, idField: String = "id") {
        do throws(BSONError) {
            let event = try BSONReader.document(change) { $0 == "fullDocument" }
            guard let document = event["fullDocument"]?.object else {
                self = .everything
                return
            }
            let named: JSONObject = document[idField].map { ["id": $0] } ?? [:]
            do throws(DocumentError) { self = .bot(try Bot.id(of: named)) } catch { self = .everything }
        } catch { self = .everything }
    }
}
