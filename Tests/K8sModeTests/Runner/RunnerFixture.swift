import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import K8sMode

/// Makes links that lead nowhere.
final class FakeLinks: CodeLinking {
    /// What must stand in no Pod, no message and no log.
    static let secret = "X-Amz-Signature=5ecre7"
    private let state = Mutex<(made: Int, failure: RunnerError?, life: Duration)>((0, nil, .seconds(3600)))

    var made: Int { state.withLock { $0.made } }
    func fail(_ failure: RunnerError?) { state.withLock { $0.failure = failure } }
    func live(for life: Duration) { state.withLock { $0.life = life } }

    func link(for version: CustomBotVersion, of bot: BotID) async throws(RunnerError) -> CodeLink {
        let (number, failure, life) = state.withLock { state in
            state.made += 1
            return (state.made, state.failure, state.life)
        }
        if let failure { throw failure }
        return CodeLink(
            json: #"{"url":"http://store/code.zip?\#(Self.secret)&n=\#(number)"}"#,
            expiresAt: Timestamp.now.advanced(by: life)
        )
    }
}

/// A specification of a live Python bot.
func liveSpec(
    _ id: BotID,
    _ config: JSONObject = ["key": "pa55word"],
    version: String = "1.0",
    builder: LaunchSpecBuilder = LaunchSpecBuilder()
) throws -> LaunchSpec {
    let custom = CustomBotVersion(
        version: version,
        code: .object(key: "demo/\(version).zip"),
        config: CustomBotConfig(name: "demo bot", runtime: "python3.11", entrypoints: ["bot": "main.py"])
    )
    return try builder.spec(for: Executable(id: id, kind: .live, config: config, custom: custom))
}

extension K8sPace {
    /// Without the waits of the real one; housekeeping only when a test calls for it.
    static func quick() throws -> K8sPace {
        var pace = K8sPace()
        pace.watching = WatchSettings(shortest: .zero, backoff: try .instant())
        pace.housekeeping = .seconds(3600)
        pace.removalPatience = .milliseconds(100)
        pace.recheck = .milliseconds(20)
        pace.arrival = .milliseconds(200)
        return pace
    }
}

/// A runner on a fake cluster.
struct RunnerFixture: Sendable {
    let cluster: FakeCluster
    let server: FakeAPIServer
    let links: FakeLinks
    let runner: K8sRunner

    static let settings = K8sSettings(runtimeImage: "the0/runtime:test", stopGrace: .milliseconds(200))

    init(
        instance: String = "default",
        settings: K8sSettings = Self.settings,
        pace: K8sPace? = nil,
        cluster: FakeCluster = FakeCluster()
    ) throws {
        self.cluster = cluster
        let server = try FakeAPIServer { request, _ in cluster.answer(request) }
        self.server = server
        links = FakeLinks()
        func client() throws -> K8sClient {
            let connection = ClusterConnection(server: server.url)
            return K8sClient(
                connection,
                credentials: Credentials(connection),
                backoff: try .instant(),
                logger: quiet
            )
        }
        runner = K8sRunner(
            client: try client(),
            following: try client(),
            namespace: "the0",
            instance: instance,
            links: links,
            settings: settings,
            pace: try pace ?? .quick(),
            logger: quiet
        )
    }

    /// Runs a test with the runner's watches up.
    static func with(
        instance: String = "default",
        settings: K8sSettings = Self.settings,
        pace: K8sPace? = nil,
        cluster: FakeCluster = FakeCluster(),
        _ body: @escaping @Sendable (RunnerFixture) async throws -> Void
    ) async throws {
        let fixture = try RunnerFixture(instance: instance, settings: settings, pace: pace, cluster: cluster)
        defer {
            cluster.closeWatches()
            fixture.server.stop()
        }
        try await fixture.running { try await body(fixture) }
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

    /// The Pod of a bot as the cluster has it.
    func pod(_ id: BotID) throws -> Pod {
        Pod(json: try #require(cluster.object("pods", K8sNames.pod(id)), "Pod of \(id)"))
    }

    /// The Secrets of the cluster.
    var secrets: [Secret] { cluster.objects("secrets").map { Secret(json: $0) } }

    /// How often something was asked for since the beginning.
    func count(_ method: String, _ collection: String) -> Int {
        server.requests.count { $0.method == method && $0.path.contains("/\(collection)") && $0.query["dryRun"] == nil }
    }

    /// Has a Pod's container run on a node, or be in another state.
    func setState(_ id: BotID, phase: String = "Running", node: String? = "n1", _ status: JSONObject) {
        cluster.change("pods", K8sNames.pod(id)) { pod in
            if let node { pod[["spec", "nodeName"]] = .string(node) }
            var whole: JSONObject = ["phase": .string(phase)]
            for (key, value) in status.members { whole[key] = value }
            pod["status"] = .object(whole)
        }
    }

    func setRunning(_ id: BotID) {
        setState(
            id,
            [
                "containerStatuses": [
                    [
                        "name": "bot", "ready": true, "restartCount": 0, "containerID": "docker://c1",
                        "state": ["running": ["startedAt": "2026-01-02T03:05:00Z"]],
                    ]
                ]
            ]
        )
    }

    func setFailed(_ id: BotID, code: Int64, reason: String = "Error") {
        setState(
            id,
            phase: "Failed",
            [
                "containerStatuses": [
                    [
                        "name": "bot", "restartCount": 0, "containerID": "docker://c1",
                        "state": [
                            "terminated": [
                                "exitCode": .integer(code), "reason": .string(reason), "containerID": "docker://c1",
                                "startedAt": "2026-01-02T03:05:00Z", "finishedAt": "2026-01-02T03:06:00Z",
                            ]
                        ],
                    ]
                ]
            ]
        )
    }
}

/// The error of something that has to fail.
func runnerFailure<Value>(_ body: () async throws(RunnerError) -> Value) async -> RunnerError? {
    do throws(RunnerError) {
        _ = try await body()
        Issue.record("expected an error")
        return nil
    } catch {
        return error
    }
}

/// Everything a server was sent to make Pods of.
func podBodies(_ server: FakeAPIServer) -> [String] {
    server.requests.filter { $0.method == "POST" && $0.path.hasSuffix("/pods") }
        .map { String(decoding: $0.body, as: UTF8.self) }
}

/// The one run that there is to be.
func one(_ runs: [ObservedRun], _ what: Comment = "one run") throws -> ObservedRun {
    try #require(runs.count == 1 ? runs.first : nil, what)
}
