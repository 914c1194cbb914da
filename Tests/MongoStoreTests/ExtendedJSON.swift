import CMongo
import Model
import Testing

@testable import MongoStore

/// The BSON of a document in MongoDB's Extended JSON, made by the C library: what our reader is checked against.
func bson(_ extendedJSON: String) throws -> [UInt8] {
    var error = bson_error_t()
    let pointer = try #require(bson_new_from_json(extendedJSON, extendedJSON.utf8.count, &error), "\(error.text)")
    defer { bson_destroy(pointer) }
    return Array(UnsafeRawBufferPointer(documentOf: pointer))
}

/// What our reader makes of a document.
func read(_ bytes: [UInt8]) throws -> JSONObject {
    try bytes.withUnsafeBytes { try BSONReader.document($0) }
}
