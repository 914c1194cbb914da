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
                await server.service.kill()
                let (error, duration) = await failure { try await store.bots() }
                #expect(error?.code == .unavailable)
                #expect(duration < .seconds(5))
                #expect(error?.message.contains("reading bot_runner.bots on 127.0.0.1:\(server.port)") == true)
                #expect(await failure { try await store.check() }.error?.code == .unavailable)
                #expect(await failure { try await store.delete("a") }.error?.code == .unavailable)
                try await server.service.start()
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
                server.service.hang()
                let (reading, readingTime) = await failure { try await store.bots() }
                let (writing, writingTime) = await failure { try await store.delete("a") }
                try await server.service.resume()
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
                server.service.hang()
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
            try await MongoServer.with(.password(user: "runtime", password: "r1ghtPassw0rd")) { server in
                let lines = LogLines()
                func store(_ credentials: String) throws -> MongoBotStore {
                    let uri = "mongodb://\(credentials)127.0.0.1:\(server.port)/?authSource=admin"
                    return MongoBotStore(try MongoConnection(uri: uri, logger: lines.logger))
                }
                try await store("runtime:r1ghtPassw0rd@").check()
                for credentials in ["runtime:wr0ngPassw0rd@", ""] {
                    let wrong = try store(credentials)
                    for error in [
                        await failure { try await wrong.check() }.error, await failure { try await wrong.bots() }.error,
                        await failure { try await wrong.delete("a") }.error,
                        await failure { try await wrong.create(StoreContract.document("a", [:])) }.error,
                    ] {
                        #expect(error?.code == .unauthorized)
                        #expect(error?.description.contains("Passw0rd") == false)
                    }
                }
                #expect(!lines.text.contains("Passw0rd"))
            }
        }

        @Test func aCertificateIsCheckedAgainstTheAuthorityOfTheURI() async throws {
            let certificates = try await TestCertificates.make()
            try await MongoServer.with(.tls(certificates)) { server in
                let trusting = MongoBotStore(try server.connection("tls=true&tlsCAFile=\(certificates.authority)"))
                try await trusting.create(StoreContract.document("a", ["config": [:]]))
                #expect(try await trusting.bots().map(\.id) == ["a"])
                for options in ["tls=true", ""] {
                    let wary = MongoBotStore(try server.connection(options))
                    let (error, duration) = await failure { try await wary.check() }
                    #expect(error?.code == .unavailable)
                    #expect(duration < .seconds(5))
                }
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
                    await becomes {
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
