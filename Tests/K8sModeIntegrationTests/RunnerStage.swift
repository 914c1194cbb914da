import Foundation
import Model
import Runtime
import Synchronization
import TestSupport
import Util

@testable import K8sMode

/// Links for a stand-in of `runtime unpack`: the code itself stands where an address would.
final class StandInLinks: CodeLinking {
    /// By the key of the code archive.
    private let programs = Mutex<[String: String]>([:])

    func set(_ program: String, for key: String) { programs.withLock { $0[key] = program } }

    func link(for version: CustomBotVersion, of bot: BotID) async throws(RunnerError) -> CodeLink {
        guard case .object(let key) = version.code, let program = programs.withLock({ $0[key] }) else {
            throw RunnerError(.codeInvalid, "no program of this name")
        }
        let link: JSONValue = ["url": .string(Data(program.utf8).base64EncodedString())]
        return CodeLink(json: link.text, expiresAt: Timestamp.now.advanced(by: .seconds(3600)))
    }
}

/// A runner on the real cluster, in a namespace of its own, whose init container is a stand-in.
struct RunnerStage: Sendable {
    let cluster: TestCluster
    let namespace: String
    let links = StandInLinks()
    let runner: K8sRunner

    /// Unpacks a link of ``StandInLinks``, with nothing but busybox. The sign of the link's end is a quotation mark.
    static let unpack = [
        "/bin/busybox", "sh", "-c",
        #"/bin/busybox cut -d '"' -f 4 /run/the0/code.json | /bin/busybox base64 -d > /bot/main"#,
    ]
    /// One that `scripts/images` makes.
    static let image = "busybox:1.36.1"

    static func settings(_ state: K8sSettings.State = .ephemeral) -> K8sSettings {
        K8sSettings(runtimeImage: image, unpackCommand: unpack, state: state, stopGrace: .seconds(3))
    }

    init(
        _ cluster: TestCluster,
        _ namespace: String,
        settings: K8sSettings = settings(),
        instance: String = "default",
        context: String = "admin"
    ) throws {
        self.cluster = cluster
        self.namespace = namespace
        runner = K8sRunner(
            client: try cluster.client(context: context),
            following: try cluster.client(context: context),
            namespace: namespace,
            instance: instance,
            links: links,
            settings: settings,
            logger: silent
        )
    }

    /// Runs a test with the runner's watches up, in a new namespace.
    static func with(
        settings: K8sSettings = settings(),
        _ body: @escaping @Sendable (RunnerStage) async throws -> Void
    ) async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let stage = try RunnerStage(cluster, namespace, settings: settings)
            try await stage.running { try await body(stage) }
        }
    }

    /// Keeps the watches up while something is done.
    func running(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.runner.run() }
            group.addTask {
                try await self.runner.waitUntilSynced()
                try await body()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// A specification of a live bot that is a shell script of busybox.
    func shell(_ id: BotID, _ script: String, _ config: JSONObject = [:]) throws -> LaunchSpec {
        try spec(id, "#!/bin/busybox sh\n" + script, runtime: "gcc13", image: Self.image, config)
    }

    /// A specification of a live bot in Python.
    func python(_ id: BotID, _ program: String, _ config: JSONObject = [:]) throws -> LaunchSpec {
        try spec(id, program, runtime: "python3.11", image: nil, config)
    }

    private func spec(
        _ id: BotID,
        _ program: String,
        runtime: String,
        image: String?,
        _ config: JSONObject
    ) throws -> LaunchSpec {
        let key = "\(program.utf8.count)-\(program.hashValue)"
        links.set(program, for: key)
        var builder = LaunchSpecBuilder()
        if let image { builder.catalogue = try builder.catalogue.overriding(images: [runtime: image]) }
        let custom = CustomBotVersion(
            version: "1",
            code: .object(key: key),
            config: CustomBotConfig(name: "demo", runtime: runtime, entrypoints: ["bot": "main"])
        )
        return try builder.spec(for: Executable(id: id, kind: .live, config: config, custom: custom))
    }

    func pod(_ id: BotID) async throws -> Pod? {
        try await runner.view.pods.get(K8sNames.pod(id))
    }

    /// Waits for a bot's container to run.
    func untilRunning(_ id: BotID) async throws {
        try await eventually(within: .seconds(60), "Pod of \(id.text.prefix(20)) runs") {
            guard case .running = try await pod(id)?.botContainer?.state else { return false }
            return true
        }
    }

    func run(_ id: BotID) async throws -> ObservedRun {
        let runs = try await runner.runs(of: .live, id: id)
        guard runs.count == 1, let run = runs.first else { throw FixtureError("\(runs.count) runs of \(id)") }
        return run
    }
}

/// Lines as a collector takes them, with the place after them.
final class TakenOutput: Sendable {
    private let state = Mutex<(lines: [String], position: OutputPosition?, gaps: Int)>(([], nil, 0))

    var lines: [String] { state.withLock { $0.lines } }
    var position: OutputPosition? { state.withLock { $0.position } }
    var gaps: Int { state.withLock { $0.gaps } }

    func take(_ batch: OutputBatch) {
        state.withLock { state in
            state.lines += batch.lines.map { String(decoding: $0.bytes, as: UTF8.self) }
            state.position = batch.position
            if batch.hasGap { state.gaps += 1 }
        }
    }
}
