import Control
import Model
import TestSupport

@testable import MongoStore

extension MongoCollection {
    /// Has the collection hold these documents and no others.
    func fill(_ documents: [JSONObject]) async throws {
        try await command("emptying", ["delete": .string(name.collection), "deletes": [["q": [:], "limit": 0]]])
        try await insert(documents)
    }

    func insert(_ documents: [JSONObject]) async throws {
        guard !documents.isEmpty else { return }
        try await command(
            "filling",
            ["insert": .string(name.collection), "documents": .array(documents.map(JSONValue.object))]
        )
    }

    /// Inserts documents of BSON as they are.
    func insert(bson documents: [[UInt8]]) async throws {
        let command = try BSONWriter.command(["insert": .string(name.collection)], "documents", documents)
        _ = try await writeEach("inserting into", command)
    }

    /// The whole documents that a filter finds, as they lie there.
    func documents(_ filter: JSONObject = [:]) async throws -> [JSONObject] {
        try await find("reading", filter: filter, options: JSONObject()) { bytes in
            (try? BSONReader.document(bytes)) ?? JSONObject()
        }
    }
}

/// A document with one element more, of any type.
func bson(_ object: JSONObject, _ key: String, type: UInt8, _ value: [UInt8]) throws -> [UInt8] {
    let body = try BSONWriter.document(object).dropFirst(4).dropLast() + [type] + Array(key.utf8) + [0] + value + [0]
    return withUnsafeBytes(of: Int32(body.count + 4).littleEndian, Array.init) + body
}
