import Control
import Foundation
import Model
import TestSupport
import Testing

@testable import MongoStore

extension MongoIntegration {
    @Suite struct StoreTests {
        @Test func theContractOfReading() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                try await StoreContract.reading(store) { try await store.fill($0.map(JSONObject.init)) }
            }
        }

        @Test func theContractOfWritingWithAndWithoutTheIndex() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                try await StoreContract.writing(store) { try await store.fill([]) }
                #expect(try await store.ensureIndex() == .ensured)
                #expect(try await store.ensureIndex() == .ensured)
                try await StoreContract.writing(store) { try await store.fill([]) }
            }
        }

        @Test func f65AConfigOfTheWrongTypeStopsNoOther() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                let good = (0..<300).map { JSONObject(StoredEntry(.string("good-\($0)"))) }
                try await store.fill(
                    good + [JSONObject(StoredEntry("broken", config: 7))]
                        + good.map { bot in
                            var bot = bot
                            bot["id"] = .string((bot["id"]?.string ?? "") + "-after")
                            return bot
                        }
                )
                let entries = try await store.bots()
                #expect(entries.compactMap(\.usable).count == 600)
                let failures = entries.compactMap(\.failure)
                #expect(failures.count == 1)
                #expect(failures.first?.error.description == #""broken": config is a number; expected an object"#)
            }
        }

        @Test func f65ADocumentTooDeepStopsNoOther() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                try await store.fill([JSONObject(StoredEntry("good"))])
                var config: [UInt8] = [5, 0, 0, 0, 0]
                for _ in 0..<220 { config = wrapped("a", config) }
                let document = wrapped("config", config, id: "deep")
                // Servers bound the depth too, this one's bound lies elsewhere: either it is refused, or read as broken.
                do { try await store.insert(bson: document) } catch let error as StoreError {
                    #expect(error.code == .refused)
                    return
                }
                let entries = try await store.bots()
                #expect(entries.compactMap(\.usable?.id) == ["good"])
                #expect(entries.compactMap(\.failure?.id) == ["deep"])
            }
        }

        @Test func duplicatesForbidTheIndexAndNothingElse() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                try await store.fill(["twice", "twice", "once"].map { JSONObject(StoredEntry($0)) })
                guard case .missing(let reason) = try await store.ensureIndex() else {
                    Issue.record("an index over duplicates")
                    return
                }
                #expect(reason.contains("11000"))
                #expect(try await store.bots().compactMap(\.usable?.id) == ["once"])
                // One of the two is changed, both are removed.
                try await store.update(BotDocument(id: "twice", fields: ["enabled": false]))
                try await store.delete("twice")
                #expect(try await store.bots().count == 1)
                #expect(try await store.ensureIndex() == .ensured)
            }
        }

        @Test func concurrentCreationsMakeOneBot() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection("maxPoolSize=8"))
                try await store.ensureIndex()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let document = StoreContract.document("one", ["config": ["n": .integer(Int64(number))]])
                            if number.isMultiple(of: 2) {
                                try await store.create(document)
                            } else {
                                try await store.update(document)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await store.bots().count == 1)
            }
        }

        @Test func unknownFieldsSurviveAndASegmentIsWritten() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                var theirs = JSONObject(StoredEntry("theirs"))
                theirs["owner"] = ["name": "x"]
                theirs["segment_id"] = 4
                try await store.fill([theirs])
                try await store.update(StoreContract.document("theirs", ["config": ["n": 1]]))
                try await store.create(StoreContract.document("theirs", ["config": ["n": 2]]))
                try await store.create(StoreContract.document("ours", ["config": [:]]))
                let documents = try await store.documents()
                #expect(documents[0]["owner"] == ["name": "x"])
                #expect(documents[0]["segment_id"] == 4)
                #expect(documents[0]["config"] == ["n": 1])
                #expect(documents[1]["segment_id"] == 0)
                #expect(documents[1]["id"] == "ours")
            }
        }

        @Test func aDocumentBeyondTheLimitIsRefused() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                let large = JSONValue.string(String(repeating: "x", count: 16 * 1024 * 1024))
                let error = await #expect(throws: StoreError.self) {
                    try await store.update(StoreContract.document("large", ["config": ["data": large]]))
                }
                #expect(error?.code == .refused)
                #expect(error?.message.contains("16777216") == true)
                // Just below it works, both ways.
                let fitting = JSONValue.string(String(repeating: "x", count: 16_700_000))
                try await store.update(StoreContract.document("fits", ["config": ["data": fitting]]))
                #expect(try await store.bot("fits")?.usable?.config["data"] == fitting)
                #expect(try await store.bots().count == 1)
            }
        }

        /// With `w=0` servers refuse in silence: an event would be taken for written.
        @Test(arguments: ["", "w=0"])
        func aDocumentThatWouldGrowBeyondTheLimitIsRefused(_ options: String) async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection(options))
                let half = JSONValue.string(String(repeating: "x", count: 9 * 1024 * 1024))
                try await store.create(StoreContract.document("a", ["config": ["data": half]]))
                let error = await failure { try await store.update(BotDocument(id: "a", fields: ["more": half])) }.error
                #expect(error?.code == .refused)
                #expect(
                    error?.message.contains("updating \"a\" in bot_runner.bots on 127.0.0.1:\(server.port)") == true
                )
                #expect(try await store.documents().map { $0["more"] } == [nil])
            }
        }
    }
}

/// A document with one document inside, and perhaps an id.
private func wrapped(_ key: String, _ inner: [UInt8], id: String? = nil) -> [UInt8] {
    var body = [0x03] + Array(key.utf8) + [0] + inner
    if let id {
        let text = Array(id.utf8) + [0]
        body += [0x02] + Array("id".utf8) + [0] + withUnsafeBytes(of: Int32(text.count).littleEndian, Array.init) + text
    }
    return withUnsafeBytes(of: Int32(body.count + 5).littleEndian, Array.init) + body + [0]
}
