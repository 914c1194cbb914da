import Foundation
import TestSupport
import Testing

@testable import runtime_cli

/// The built program while it serves: signals, health, and what it says meanwhile.
@Suite struct ProgramLifeTests {
    private let program: RuntimeProgram

    init() throws { program = try RuntimeProgram() }

    /// An engine that takes connections and never answers.
    private func hungEngine() throws -> SilentSocket { try SilentSocket(path: program.folder.file("hung.sock")) }

    private func start(_ flags: String...) throws -> ChildProcess {
        try program.start(
            ["bot-runner", "--store", program.makeStore(), "--listen", "127.0.0.1:0"] + flags
        )
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func oneSignalEndsItInGoodOrderThoughTheEngineHangs(_ signal: Int32) async throws {
        let engine = try hungEngine()
        let process = try start("--docker-host", "unix://\(program.folder.file("hung.sock"))")
        try await program.printed("status server is listening")
        process.send(signal)
        #expect(await process.ended(within: .seconds(15)) == .exited(0), "\(program.log)")
        #expect(program.log.contains("bots run on"))
        withExtendedLifetime(engine) {}
    }

    @Test(arguments: [(SIGTERM, Int32(143)), (SIGINT, Int32(130))])
    func secondSignalEndsItAtOnce(_ signal: Int32, _ code: Int32) async throws {
        let engine = try hungEngine()
        // Bots can't be stopped while the engine hangs: the first signal has something to wait for.
        let process = try start("--docker-host", "unix://\(program.folder.file("hung.sock"))", "--stop-bots-on-exit")
        try await program.printed("status server is listening")
        process.send(signal)
        try await program.printed("stopping, and the bots too")
        #expect(process.termination == nil)
        process.send(signal)
        #expect(await process.ended(within: .seconds(5)) == .exited(code), "\(program.log)")
        #expect(program.log.contains("ending at once"))
        #expect(!FileManager.default.fileExists(atPath: "/dev/shm/mongoc-\(process.pid)"))
        withExtendedLifetime(engine) {}
    }

    @Test func botsThatCannotBeStoppedAreNoGoodEnd() async throws {
        let process = try start("--docker-host", "unix:///nowhere.sock", "--stop-bots-on-exit")
        try await program.printed("status server is listening")
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(69), "\(program.log)")
        #expect(program.log.contains("not all bots were stopped"))
    }

    @Test func engineThatRefusesIsNamedAndWaitedFor() async throws {
        let port = try freePort()
        let socket = program.folder.file("none.sock")
        let process = try program.start([
            "bot-runner", "--store", program.makeStore(), "--listen", "127.0.0.1:\(port)", "--docker-host",
            "unix://\(socket)",
        ])
        try await program.printed("status server is listening")
        #expect(try await Answer(port: port, path: "/healthz").status == 200)
        let readiness = try await eventuallyValue("readiness with a reason") {
            let answer = try await Answer(port: port, path: "/readyz")
            return answer.body.contains("not checked yet") ? nil : answer
        }
        #expect(readiness.status == 503)
        #expect(readiness.body.contains("\"engine\":{\"ok\":false,\"reason\":"), "\(readiness.body)")
        #expect(readiness.body.contains(socket))
        #expect(readiness.body.contains("\"store\":{\"ok\":true}"))
        #expect(readiness.body.contains("\"first full pass\":false"))
        let metrics = try await Answer(port: port, path: "/metrics")
        #expect(metrics.status == 200)
        let page = try ConfigurationPage().text
        let names = metrics.body.matches(of: /(?m)^# TYPE ([a-z_]+)/).map { String($0.1) }
        #expect(names.contains("reconcile_pass_failures_total"))
        for name in names { #expect(page.contains("`\(name)`"), "\(name) stands in docs/configuration.md") }
        #expect(process.termination == nil)
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(0))
    }

    @Test func defaultStoreIsSaidInAFirstLine() async throws {
        let process = try program.start([
            "bot-runner", "--listen", "127.0.0.1:0", "--docker-host", "unix:///nowhere.sock",
        ])
        try await program.printed("status server is listening")
        #expect(program.log.split(separator: "\n").first?.contains("neither --store nor MONGO_URI is set") == true)
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(0))
    }

    @Test func missingStoreIsWaitedForAndNoReasonToEnd() async throws {
        let port = try freePort()
        let process = try program.start([
            "bot-runner", "--store", "missing", "--listen", "127.0.0.1:\(port)", "--docker-host",
            "unix:///nowhere.sock",
        ])
        try await program.printed("status server is listening")
        try await eventually("the store named as not answering") {
            let body = try await Answer(port: port, path: "/readyz").body
            return body.contains("\"store\":{\"ok\":false") && body.contains("\\\"missing\\\" can't be read")
        }
        #expect(process.termination == nil)
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(0))
    }

    @Test(arguments: ["text", "json"])
    func f38SecretsAreNeverPrinted(_ format: String) async throws {
        let (mongo, nats, minio, port) = (try freePort(), try freePort(), try freePort(), try freePort())
        var program = program
        program.environment = [
            "MONGO_URI": "mongodb://me:mongo-hush@127.0.0.1:\(mongo)/?authSource=admin",
            "NATS_URL": "nats://me:nats-hush@127.0.0.1:\(nats)",
            "MINIO_ENDPOINT": "127.0.0.1:\(minio)", "MINIO_ACCESS_KEY": "access-hush",
            "MINIO_SECRET_KEY": "secret-hush",
        ]
        let process = try program.start([
            "bot-runner", "--listen", "127.0.0.1:\(port)", "--log-level", "trace", "--log-format", format,
            "--docker-host", "unix:///nowhere.sock",
        ])
        // Until each of them was tried and its failure told.
        let body = try await eventuallyValue(within: .seconds(40), "a reason for every dependency") {
            let body = try await Answer(port: port, path: "/readyz").body
            return body.split(separator: "\"ok\":false").count == 5 && !body.contains("not checked yet") ? body : nil
        }
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(20)) == .exited(0))
        let log = program.log
        for name in ["mongodb", "engine", "nats", "object store"] {
            #expect(body.contains("\"\(name)\":{\"ok\":false"))
            #expect(log.contains(name))
        }
        for text in [log, body] { #expect(!text.contains("hush")) }
    }

    @Test func f38ConfigOfABotIsNeverPrinted() async throws {
        let store = try program.makeStore()
        try program.folder.write(
            "bots/one/bot-config.yaml",
            "name: one\nruntime: python3.11\nversion: 1.0.0\nentrypoints:\n  bot: main.py\n"
        )
        try program.folder.write("bots/one/main.py", "")
        try program.folder.write("bots/bots.yaml", "- id: one\n  bot: one\n  config: {api_key: config-hush}\n")
        let engine = try hungEngine()
        let process = try program.start([
            "bot-runner", "--store", store, "--listen", "127.0.0.1:0", "--log-level", "trace", "--print-status",
            "--docker-host", "unix://\(program.folder.file("hung.sock"))",
        ])
        try await program.printed("status server is listening")
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(0))
        #expect(!program.log.contains("hush"))
        withExtendedLifetime(engine) {}
    }
}
