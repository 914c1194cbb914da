import CMongo
import Control
import Model
import TestSupport

@testable import MongoStore

extension MongoBotStore {
    /// Has the collection hold these documents and no others.
    func fill(_ documents: [JSONObject]) async throws {
        try await collection.command(
            "emptying",
            ["delete": "bots", "deletes": [["q": [:], "limit": 0]]]
        )
        try await insert(documents)
    }

    func insert(_ documents: [JSONObject]) async throws {
        guard !documents.isEmpty else { return }
        try await collection.command(
            "filling",
            ["insert": "bots", "documents": .array(documents.map(JSONValue.object))]
        )
    }

    /// Inserts BSON as it is.
    func insert(bson: [UInt8]) async throws {
        try await connection.call("inserting") { client throws(StoreError) in
            let collection = try CollectionHandle(client, collection.name)
            guard let document = BSONDocument(bson) else { throw StoreError(.refused, "no BSON") }
            let options = BSONDocument((try? BSONWriter.document(["validate": false])) ?? [])
            guard let options else { throw StoreError(.refused, "no options") }
            var error = bson_error_t()
            guard mongoc_collection_insert_one(collection.pointer, document.pointer, options.pointer, nil, &error)
            else {
                throw StoreError(error, "inserting", connection.uri)
            }
        }
    }

    /// The whole documents, as they lie there.
    func documents() async throws -> [JSONObject] {
        try await collection.find("reading", filter: JSONObject(), options: JSONObject()) { bytes in
            (try? BSONReader.document(bytes)) ?? JSONObject()
        }
    }
}

extension JSONObject {
    /// The document of an entry of the contract suite.
    init(_ entry: StoredEntry) {
        self = ["id": entry.id, "custom": StoreContract.custom]
        self["enabled"] = entry.enabled
        self["config"] = entry.config
    }
}
