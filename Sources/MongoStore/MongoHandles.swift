import CMongo
import Control

/// Owns a document of the C library.
struct BSONDocument: ~Copyable {
    let pointer: OpaquePointer

    /// A copy of these bytes; nil when they are no document or memory is short.
    init?(_ bytes: [UInt8]) {
        guard let pointer = bson_new_from_data(bytes, bytes.count) else { return nil }
        self.pointer = pointer
    }

    /// Takes a document over.
    init?(owning pointer: OpaquePointer?) {
        guard let pointer else { return nil }
        self.pointer = pointer
    }

    deinit { bson_destroy(pointer) }

    /// The document's bytes while the call lasts.
    borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(documentOf: pointer))
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a document of the C library; valid as long as it is.
    init(documentOf document: OpaquePointer) {
        self.init(start: bson_get_data(document), count: Int(cmongo_bson_length(document)))
    }
}

/// Owns a collection of a client, which must outlive it.
struct CollectionHandle: ~Copyable {
    let pointer: OpaquePointer

    init(_ client: OpaquePointer, _ name: CollectionName) throws(StoreError) {
        guard let pointer = mongoc_client_get_collection(client, name.database, name.collection) else {
            throw StoreError(.refused, "\(name) is no name of a collection")
        }
        self.pointer = pointer
        // A URI with w=0 asks not to be told whether a write was done, but an event may only be acknowledged then.
        if let concern = mongoc_collection_get_write_concern(pointer), !mongoc_write_concern_is_acknowledged(concern) {
            let acknowledged = mongoc_write_concern_new()
            mongoc_write_concern_set_w(acknowledged, 1)
            mongoc_collection_set_write_concern(pointer, acknowledged)
            mongoc_write_concern_destroy(acknowledged)
        }
    }

    deinit { mongoc_collection_destroy(pointer) }
}

/// Owns a cursor of a collection, which must outlive it.
struct CursorHandle: ~Copyable {
    let pointer: OpaquePointer

    init?(_ pointer: OpaquePointer?) {
        guard let pointer else { return nil }
        self.pointer = pointer
    }

    deinit { mongoc_cursor_destroy(pointer) }
}

/// Where a collection is.
struct CollectionName: Sendable, Hashable, CustomStringConvertible {
    let database: String
    let collection: String

    var description: String { "\(database).\(collection)" }
}
