import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct RunnerViewTests {
    @Test func aRunnerKeepsItsContract() async throws {
        try await RunnerFixture.with { fixture in
            let other = try RunnerFixture(cluster: fixture.cluster)
            defer { other.server.stop() }
            try await other.running {
                @Sendable func settled(_ runner: K8sRunner) -> SettledRunner {
                    SettledRunner(runner: runner) {
                        try await eventually {
                            let pods = fixture.cluster.objects("pods").map { Pod(json: $0).resourceVersion }
                            return Set(pods) == Set(runner.view.cache.objects.map(\.resourceVersion))
                        }
                    }
                }
                let contract = RunnerContract(
                    runner: settled(fixture.runner),
                    other: settled(other.runner),
                    longRunning: { try liveSpec($0, ["n": .integer($1)]) },
                    ending: nil,
                    scheduled: nil
                )
                try await contract.check()
            }
        }
    }

    @Test func whatIsntKnownIsntEmpty() async throws {
        let cluster = FakeCluster()
        cluster.override { _ in .status(500, "InternalError") }
        let fixture = try RunnerFixture(cluster: cluster)
        defer { fixture.server.stop() }
        let error = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.runs(of: .live) }
        #expect(error?.code == .unavailable && !fixture.runner.isSynced)
        let single = await runnerFailure { () async throws(RunnerError) in
            try await fixture.runner.runs(of: .live, id: "b")
        }
        #expect(single?.code == .unavailable)
        // One of the lists that can't be had is enough.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await fixture.runner.run() }
            defer {
                group.cancelAll()
                cluster.closeWatches()
            }
            cluster.override { $0.path.contains("secrets") ? .status(403, "Forbidden") : nil }
            try await eventually { fixture.runner.view.cache.isSynced }
            let partial = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.runs(of: .live)
            }
            #expect(partial?.code == .unavailable)
            cluster.override(nil)
            try await eventually { try await fixture.runner.runs(of: .live).isEmpty }
        }
    }

    @Test func whatWasKnownTooLongAgoIsntKnown() async throws {
        var pace = try K8sPace.quick()
        pace.mostSilence = .milliseconds(50)
        try await RunnerFixture.with(pace: pace) { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            #expect(try await fixture.runner.runs(of: .live).count == 1)
            fixture.cluster.override { _ in .status(500, "InternalError") }
            fixture.cluster.closeWatches()
            try await eventually("the silence") {
                await runnerFailureOrNil { () async throws(RunnerError) in
                    try await fixture.runner.runs(of: .live)
                }?.code == .unavailable
            }
            fixture.cluster.override(nil)
            try await eventually("the server again") { try await fixture.runner.runs(of: .live).count == 1 }
        }
    }

    @Test func f57PodsOfOtherVersionsAreReplacedWhereverTheyStand() async throws {
        let cluster = FakeCluster()
        for (prefix, id) in [("the0.dev", "old"), ("the0.app", "later")] {
            cluster.put(
                "pods",
                [
                    "metadata": [
                        "name": .string("bot-\(id)"), "creationTimestamp": "2026-01-01T00:00:00Z",
                        "labels": ["\(prefix)/managed-by": "the0-bot-controller", "\(prefix)/bot-id": .string(id)],
                    ],
                    "spec": ["containers": [["name": "bot", "image": "python:3.11-slim"]]],
                    "status": ["phase": "Running"],
                ]
            )
        }
        try await RunnerFixture.with(cluster: cluster) { fixture in
            #expect(Set(try await fixture.runner.runs(of: .live).map(\.id)) == ["old", "later"])
            for id in ["old", "later"].map({ BotID($0) }) {
                let run = try one(try await fixture.runner.runs(of: .live, id: id))
                // The old one is gone before the new one starts, although they have one name.
                let spec = try liveSpec(id)
                #expect(run.isRunning && !run.matches(spec))
                let early = await runnerFailure { () async throws(RunnerError) in
                    try await fixture.runner.start(spec, attempt: 0)
                }
                #expect(early?.code == .conflict)
                try await fixture.runner.remove(run)
                #expect(try await fixture.runner.runs(of: .live, id: id).isEmpty)
                try await fixture.runner.start(spec, attempt: 0)
                #expect(try one(try await fixture.runner.runs(of: .live, id: id)).matches(spec))
            }
        }
    }

    @Test func f57OneThatHasEndedMakesRoomForItsSuccessor() async throws {
        let cluster = FakeCluster()
        cluster.put(
            "pods",
            [
                "metadata": [
                    "name": "bot-old",
                    "labels": ["the0.dev/managed-by": "the0-bot-controller", "the0.dev/bot-id": "old"],
                ],
                "status": ["phase": "Failed"],
            ]
        )
        try await RunnerFixture.with(cluster: cluster) { fixture in
            try await fixture.runner.start(try liveSpec("old"), attempt: 0)
            #expect(try one(try await fixture.runner.runs(of: .live, id: "old")).matches(try liveSpec("old")))
        }
        // Those of no instance are the default one's.
        try await RunnerFixture.with(instance: "other", cluster: cluster) { fixture in
            let runs = try await fixture.runner.runs(of: .live)
            #expect(runs.isEmpty)
        }
    }

    @Test func changesOfRunsWakeTheirBotAndNothingElseDoes() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("there"), attempt: 0)
            let woken = Woken()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await fixture.runner.watch(.live) { woken.add($0) } }
                defer { group.cancelAll() }
                try await eventually { woken.all == [nil] }
                try await fixture.runner.start(try liveSpec("b"), attempt: 0)
                try await eventually { woken.all == [nil, "b"] }
                // A change that makes no difference to the run.
                fixture.cluster.change("pods", "bot-b") { $0[["metadata", "annotations", "x"]] = "y" }
                fixture.setFailed("b", code: 1)
                try await eventually { woken.all == [nil, "b", "b"] }
                fixture.cluster.drop("pods", "bot-there")
                try await eventually { woken.all == [nil, "b", "b", "there"] }
            }
        }
    }

    @Test func stateOfBotsThatAreGoneGoesAndNothingElse() async throws {
        try await RunnerFixture.with { fixture in
            for id in ["kept", "gone"] { try await fixture.runner.start(try liveSpec(BotID(id)), attempt: 0) }
            let foreign = StateClaims(
                claims: fixture.runner.client.resources(VolumeClaim.self, in: "the0"),
                ownership: Ownership(instance: "other"),
                settings: RunnerFixture.settings
            )
            _ = try await foreign.ensure(for: try liveSpec("foreign"))
            fixture.cluster.put("persistentvolumeclaims", ["metadata": ["name": "data"]])
            try await fixture.runner.removeLeftovers(known: ["kept"])
            let left = fixture.cluster.objects("persistentvolumeclaims").compactMap {
                $0[["metadata", "name"]]?.string
            }
            #expect(Set(left) == ["bot-state-kept", "bot-state-foreign", "data"])
        }
    }

    @Test func aServerThatRefusesNamesTheMissingRight() async throws {
        try await RunnerFixture.with { fixture in
            fixture.cluster.override { _ in .status(403, "Forbidden") }
            let error = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.ping() }
            #expect(error?.message.contains("missing right: verb get on resource pods") == true)
        }
    }
}

/// Who was woken, in order.
private final class Woken: Sendable {
    private let state = Mutex<[BotID?]>([])

    var all: [BotID?] { state.withLock { $0 } }
    func add(_ id: BotID?) { state.withLock { $0.append(id) } }
}

/// The error of something that may fail.
func runnerFailureOrNil<Value>(_ body: () async throws(RunnerError) -> Value) async -> RunnerError? {
    do throws(RunnerError) { _ = try await body() } catch { return error }
    return nil
}
