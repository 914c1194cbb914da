import Control
import Foundation
import Logging
import Model
import TestSupport
import Testing

@testable import MongoStore

extension MongoIntegration {
    @Suite struct FailureTests {
        @Test func aDeadServerIsNoticedInSecondsAndFoundAgain() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                try await store.create(StoreContract.document("a", ["config": [:]]))
                server.crash()
                let (error, duration) = await failure { try await store.bots() }
                #expect(error?.code == .unavailable)
                #expect(duration < .seconds(5))
                #expect(error?.message.contains("reading bot_runner.bots on 127.0.0.1:\(server.port)") == true)
                #expect(await failure { try await store.check() }.error?.code == .unavailable)
                #expect(await failure { try await store.delete("a") }.error?.code == .unavailable)
                try await server.start()
                // The monitor looks every second: the first call already waits for it.
                #expect(try await store.bots().map(\.id) == ["a"])
                try await store.check()
            }
        }

        @Test func aServerThatWasNeverThereIsUnavailable() async throws {
            try await onOwnThreads {
                let store = MongoBotStore(try MongoConnection(uri: "mongodb://127.0.0.1:1/", logger: .silent))
                let (error, duration) = await failure { try await store.bots() }
                #expect(error?.code == .unavailable)
                #expect(duration < .seconds(5))
            }
        }

        @Test func aHungServerIsGivenUpInBoundedTime() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection("socketTimeoutMS=1000"))
                try await store.create(StoreContract.document("a", ["config": [:]]))
                server.signal(SIGSTOP)
                let (reading, readingTime) = await failure { try await store.bots() }
                let (writing, writingTime) = await failure { try await store.delete("a") }
                server.signal(SIGCONT)
                #expect(reading?.code == .unavailable)
                #expect(writing?.code == .unavailable)
                // Its timeout, then one attempt more, for which no server is found.
                #expect(readingTime < .seconds(7))
                #expect(writingTime < .seconds(7))
                #expect(try await store.bot("none") == nil)
            }
        }

        @Test func aCancelledCallerDoesNotWaitForAHungServer() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                _ = try await store.bots()
                server.signal(SIGSTOP)
                defer { server.signal(SIGCONT) }
                let (error, duration) = await withTaskGroup(of: (StoreError?, Duration).self) { group in
                    group.addTask { await failure { try await store.bots() } }
                    pause(.milliseconds(300))
                    group.cancelAll()
                    return await group.next() ?? (nil, .zero)
                }
                #expect(error?.code == .cancelled)
                #expect(duration < .seconds(1))
            }
        }

        @Test func aCallerCancelledBeforehandSendsNothing() async throws {
            try await MongoServer.with { server in
                let store = MongoBotStore(try server.connection())
                let call = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await store.create(StoreContract.document("a", ["config": [:]]))
                }
                await #expect(throws: StoreError.self) { try await call.value }
                #expect(try await store.bots().isEmpty)
            }
        }

        @Test func aClosedConnectionSaysSo() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoBotStore(connection)
                try await store.check()
                await connection.close()
                await connection.close()
                #expect(await failure { try await store.check() }.error?.message.contains("closed") == true)
            }
        }

        @Test func aWrongPasswordIsUnauthorizedAndNamedNowhere() async throws {
            try await MongoServer.with { server in
                let admin = MongoBotStore(try server.connection(), database: "admin")
                try await admin.collection.command(
                    "adding a user to",
                    ["createUser": "runtime", "pwd": "r1ghtPassw0rd", "roles": [["role": "root", "db": "admin"]]]
                )
                server.crash()
                try await server.start(["--auth"])
                let lines = LogLines()
                func store(_ credentials: String) throws -> MongoBotStore {
                    let uri = server.uri("authSource=admin", credentials: credentials)
                    return MongoBotStore(try MongoConnection(uri: uri, logger: lines.logger))
                }
                let right = try store("runtime:r1ghtPassw0rd@")
                try await right.check()
                for (credentials, code) in [
                    ("runtime:wr0ngPassw0rd@", StoreError.Code.unauthorized), ("", .unauthorized),
                ] {
                    let wrong = try store(credentials)
                    for error in [
                        await failure { try await wrong.check() }.error, await failure { try await wrong.bots() }.error,
                        await failure { try await wrong.delete("a") }.error,
                    ] {
                        #expect(error?.code == code)
                        #expect(error?.description.contains("wr0ng") == false)
                    }
                }
                #expect(!lines.text.contains("Passw0rd"))
            }
        }

        @Test func aServerThatSpeaksSomethingElseIsUnavailable() async throws {
            try await onOwnThreads {
                let garbage = try GarbageServer()
                let store = MongoBotStore(
                    try MongoConnection(
                        uri: "mongodb://127.0.0.1:\(garbage.port)/?connectTimeoutMS=1000",
                        logger: .silent
                    )
                )
                let (error, duration) = await failure { try await store.bots() }
                #expect(error?.code == .unavailable)
                #expect(duration < .seconds(6))
                garbage.stop()
            }
        }

        @Test func connectionsLeaveNothingBehind() async throws {
            try await MongoServer.with { server in
                @Sendable func once() async throws {
                    let connection = try server.connection()
                    try await MongoBotStore(connection).check()
                    await connection.close()
                }
                func many(_ count: Int) async throws {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<count { group.addTask { try await once() } }
                        try await group.waitForAll()
                    }
                }
                try await many(5)
                let before = Usage.now
                for _ in 0..<10 { try await many(20) }
                // Other tests run in this process: what could leak is three threads and three descriptors per connection.
                #expect(
                    await eventually {
                        Usage.now.threads < before.threads + 100 && Usage.now.descriptors < before.descriptors + 100
                    }
                )
            }
        }
    }
}

/// How something failed, and how long it took.
func failure<Value>(
    _ operation: () async throws -> Value
) async -> (error: StoreError?, duration: Duration) {
    let start = ContinuousClock.now
    var error: StoreError?
    do { _ = try await operation() } catch let failure { error = failure as? StoreError }
    return (error, ContinuousClock.now - start)
}
