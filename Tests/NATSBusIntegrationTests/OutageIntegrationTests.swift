import Control
import Foundation
import Model
import TestSupport
import Testing

@testable import NATSBus

@Suite(.serialized) struct OutageIntegrationTests {
    @Test(arguments: [true, false])
    func f35AServerThatWasGoneIsHeardAgain(stream: Bool) async throws {
        try await Bus.with(stream: stream) { bus in
            let runner = try TestRunner(bus.url)
            if stream { try await runner.usesStream() } else { try await runner.listening() }
            let passes = runner.passes
            await bus.server.service.kill()
            try await eventually { !runner.connection.isConnected }
            #expect(runner.connection.lastError != nil)
            try await Task.sleep(for: .seconds(2))
            try await bus.server.service.start()
            try await runner.passes(passes + 1)
            #expect(runner.connection.isConnected)
            #expect(runner.connection.lastError == nil)
            try await eventually { bus.platform.isConnected }
            try await bus.publish("created", "b1")
            try await eventually { runner.store.documents["b1"] != nil }
            await runner.stop()
        }
    }

    @Test(arguments: [true, false])
    func f35AServerThatHangsIsNoticedAndHeardAgain(stream: Bool) async throws {
        try await Bus.with(stream: stream) { bus in
            let runner = try TestRunner(bus.url)
            if stream { try await runner.usesStream() } else { try await runner.listening() }
            let passes = runner.passes
            bus.server.service.hang()
            try await eventually("the hang is noticed") { !runner.connection.isConnected }
            try await bus.server.service.resume()
            try await runner.passes(passes + 1)
            try await eventually { bus.platform.isConnected }
            try await bus.publish("created", "b1")
            try await eventually { runner.store.documents["b1"] != nil }
            await runner.stop()
        }
    }

    @Test func aRunnerEndsWhileTheServerHangs() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            bus.server.service.hang()
            let start = ContinuousClock.now
            await runner.stop()
            #expect(ContinuousClock.now - start < .seconds(10))
            try await bus.server.service.resume()
        }
    }

    @Test func aServerThatAppearsLateIsFound() async throws {
        let port = try freePort()
        let runner = try TestRunner("nats://127.0.0.1:\(port)")
        try await eventually { runner.logs.text.contains("no NATS, trying again") }
        #expect(!runner.connection.isConnected)
        let server = try await NATSServer.start(port: port)
        try await runner.listening()
        #expect(runner.connection.isConnected)
        await runner.stop()
        await server.stop()
    }

    @Test func credentialsAreUsedAndRefusalsEndWhenTheyAreRight() async throws {
        let port = try freePort()
        let strict = try await NATSServer.start(port: port, credentials: (user: "bob", password: "rightPassword1"))
        let runner = try TestRunner("nats://bob:hunter22hunter@127.0.0.1:\(port)")
        try await eventually("the refusal is known") { runner.connection.lastError?.code == .unauthorized }
        try await eventually("it is tried on") { runner.logs.count("no NATS, trying again") >= 3 }
        await strict.stop()
        let server = try await NATSServer.start(port: port, credentials: (user: "bob", password: "hunter22hunter"))
        try await runner.listening(within: .seconds(20))
        #expect(!runner.logs.text.contains("hunter22hunter"))
        await runner.stop()
        await server.stop()
    }

    @Test func credentialsRefusedAfterAReconnectionAreTriedOn() async throws {
        let port = try freePort()
        // Reserved characters, which the URL has percent-encoded.
        let password = "p@ss/w:rd"
        var server = try await NATSServer.start(port: port, credentials: (user: "bob", password: password))
        let runner = try TestRunner("nats://bob:p%40ss%2Fw%3Ard@127.0.0.1:\(port)")
        try await runner.listening()
        await server.stop()
        server = try await NATSServer.start(port: port, credentials: (user: "bob", password: "another"))
        try await eventually("the refusal is known") { runner.connection.lastError?.code == .unauthorized }
        await server.stop()
        let passes = runner.passes
        server = try await NATSServer.start(port: port, credentials: (user: "bob", password: password))
        try await runner.passes(passes + 1)
        #expect(runner.connection.lastError == nil)
        await runner.stop()
        await server.stop()
    }

    @Test func nothingIsLeftBehind() async throws {
        try await Bus.with(stream: true) { bus in
            func cycle() async throws {
                let runner = try TestRunner(bus.url)
                try await runner.usesStream()
                try await bus.publish("created", "b1")
                try await eventually { runner.store.documents["b1"] != nil }
                await runner.stop()
            }
            for _ in 0..<3 { try await cycle() }
            let before = Usage.now
            for _ in 0..<10 { try await cycle() }
            try await eventually("threads and descriptors as before") {
                let now = Usage.now
                return now.threads <= before.threads + 2 && now.descriptors <= before.descriptors + 2
            }
        }
    }
}

/// What this process holds.
private struct Usage {
    let threads: Int
    let descriptors: Int

    static var now: Usage {
        func count(_ folder: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
        }
        return Usage(threads: count("/proc/self/task"), descriptors: count("/proc/self/fd"))
    }
}
