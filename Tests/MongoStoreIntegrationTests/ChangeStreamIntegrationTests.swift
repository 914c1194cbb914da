import Control
import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import MongoStore

extension MongoIntegration {
    @Suite struct ChangeStreamTests {
        @Test func changesWakeTheirBotWithinASecond() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoBotStore(connection)
                try await store.fill([JSONObject(StoredEntry("old"))])
                try await watching(connection) { wakes in
                    #expect(await wakes.saw(.everything))
                    wakes.clear()
                    try await store.create(StoreContract.document("new", ["config": [:]]))
                    #expect(await wakes.saw(.bot("new")))
                    wakes.clear()
                    try await store.update(BotDocument(id: "old", fields: ["config": ["n": 1]]))
                    #expect(await wakes.saw(.bot("old")))
                    wakes.clear()
                    try await store.delete("old")
                    #expect(await wakes.saw(.everything))
                    wakes.clear()
                    // A document without a usable id may be anyone's.
                    try await store.insert([["id": 7]])
                    #expect(await wakes.saw(.everything))
                }
            }
        }

        @Test func aBurstLosesNothing() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoBotStore(connection)
                try await watching(connection) { wakes in
                    #expect(await wakes.saw(.everything))
                    let ids = (0..<500).map { BotID("bot-\($0)") }
                    try await store.insert(ids.map { JSONObject(StoredEntry(.string($0.text))) })
                    #expect(await becomes { Set(wakes.all).isSuperset(of: ids.map(Wake.bot)) })
                }
            }
        }

        @Test func aServerThatComesBackIsWatchedAgain() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoBotStore(connection)
                try await watching(connection) { wakes in
                    #expect(await wakes.saw(.everything))
                    await server.service.kill()
                    try await server.service.start()
                    wakes.clear()
                    try await store.create(StoreContract.document("new", ["config": [:]]))
                    // A new stream begins with everything; one that the library could resume tells of the bot.
                    #expect(await becomes(within: .seconds(8)) { !wakes.all.isEmpty })
                    #expect(Set(wakes.all).isSubset(of: [.everything, .bot("new")]))
                    wakes.clear()
                    try await store.update(BotDocument(id: "new", fields: ["enabled": false]))
                    #expect(await wakes.saw(.bot("new")))
                }
            }
        }

        @Test func aDroppedCollectionIsWatchedAgain() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoBotStore(connection)
                try await store.fill([JSONObject(StoredEntry("old"))])
                try await watching(connection) { wakes in
                    #expect(await wakes.saw(.everything))
                    wakes.clear()
                    try await store.collection.command("dropping", ["drop": "bots"])
                    #expect(await wakes.saw(.everything))
                    var change: Int64 = 0
                    #expect(
                        try await becomes {
                            change += 1
                            try await store.update(StoreContract.document("new", ["config": ["n": .integer(change)]]))
                            return wakes.all.contains(.bot("new"))
                        }
                    )
                }
            }
        }

        @Test func aServerWithoutChangeStreamsIsToldOnce() async throws {
            let (folder, port) = (try TemporaryFolder(), try freePort())
            let server = try ChildProcess(
                [
                    try ServicePrograms.path("secantusd-py"), "--standalone", "--port", "\(port)", "--storage-path",
                    folder.file("data"),
                ],
                folder: folder.path
            )
            try await onOwnThreads {
                let lines = LogLines()
                let connection = try MongoConnection(uri: "mongodb://127.0.0.1:\(port)", logger: lines.logger)
                try await eventually {
                    try await MongoBotStore(connection).check(); return true
                }
                try await watching(connection) { wakes in
                    #expect(await becomes { lines.count(of: "info no change streams here") == 1 })
                    pause(.milliseconds(500))
                    #expect(lines.count(of: "change stream") == 1)
                    #expect(wakes.all.isEmpty)
                }
            }
            server.killGroup()
            _ = await server.ended()
            folder.remove()
        }

        @Test func cancellingEndsAtOnce() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let wakes = Wakes()
                let duration = await timeToCancel(watching: connection, into: wakes) {
                    #expect(await wakes.saw(.everything))
                }
                #expect(duration < .milliseconds(500))
                wakes.clear()
                try await MongoBotStore(connection).create(StoreContract.document("late", ["config": [:]]))
                #expect(await !wakes.saw(.bot("late"), within: .milliseconds(500)))
            }
        }

        @Test func cancellingEndsAtOnceWithoutAServer() async throws {
            try await onOwnThreads {
                let connection = try MongoConnection(uri: "mongodb://127.0.0.1:1/", logger: .silent)
                let duration = await timeToCancel(watching: connection, into: Wakes()) { pause(.milliseconds(500)) }
                #expect(duration < .milliseconds(500))
            }
        }

        @Test func cancellingEndsAtOnceWhenTheServerHangs() async throws {
            try await MongoServer.with { server in
                let wakes = Wakes()
                let duration = await timeToCancel(watching: try server.connection(), into: wakes) {
                    #expect(await wakes.saw(.everything))
                    server.service.hang()
                }
                try await server.service.resume()
                #expect(duration < .milliseconds(500))
            }
        }
    }
}

/// Runs something while a change source watches.
private func watching(_ connection: MongoConnection, _ body: (Wakes) async throws -> Void) async throws {
    let wakes = Wakes()
    // Ends, cancelled, with this scope.
    async let _: Void = MongoChangeSource(connection).watch { wakes.add($0) }
    try await body(wakes)
}

/// How long watching goes on once it is cancelled, after something has happened.
private func timeToCancel(
    watching connection: MongoConnection,
    into wakes: Wakes,
    after body: () async -> Void
) async -> Duration {
    let clock = ContinuousClock()
    return await withTaskGroup(of: Void.self) { group in
        group.addTask { await MongoChangeSource(connection).watch { wakes.add($0) } }
        await body()
        let start = clock.now
        group.cancelAll()
        await group.waitForAll()
        return clock.now - start
    }
}

final class Wakes: Sendable {
    private let wakes = Mutex<[Wake]>([])

    var all: [Wake] { wakes.withLock { $0 } }

    func add(_ wake: Wake) { wakes.withLock { $0.append(wake) } }

    func clear() { wakes.withLock { $0 = [] } }

    func saw(_ wake: Wake, within limit: Duration = .seconds(1)) async -> Bool {
        await becomes(within: limit) { all.contains(wake) }
    }
}
