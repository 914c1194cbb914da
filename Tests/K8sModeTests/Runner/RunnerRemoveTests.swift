import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct RunnerRemoveTests {
    private func started(_ fixture: RunnerFixture, _ id: BotID = "b") async throws -> ObservedRun {
        try await fixture.runner.start(try liveSpec(id), attempt: 0)
        fixture.setRunning(id)
        return try await eventuallyValue {
            try await fixture.runner.runs(of: .live, id: id).first {
                $0.runningSince == (try RFC3339.parse("2026-01-02T03:05:00Z"))
            }
        }
    }

    @Test func aRemovalReturnsWhenThePodIsGoneAndNotBefore() async throws {
        try await RunnerFixture.with { fixture in
            let run = try await started(fixture)
            let reader = FakeFinalReader()
            fixture.runner.readFinally(with: reader)
            async let removal: Void = fixture.runner.remove(run)
            try await eventually { fixture.cluster.object("pods", "bot-b")?[["metadata", "deletionTimestamp"]] != nil }
            try await eventually { try await fixture.runner.runs(of: .live, id: "b").first?.phase == .leaving }
            fixture.cluster.drop("pods", "bot-b")
            try await removal
            #expect(try await fixture.runner.runs(of: .live, id: "b").isEmpty)
            #expect(reader.read == [run.reference])
            let delete = try #require(fixture.server.requests.first { $0.method == "DELETE" })
            #expect(
                delete.json?[["preconditions", "uid"]]?.string
                    == run.reference.split(separator: "/").last.map(String.init)
            )
            // The bot ends as its Pod says.
            #expect(delete.json?["gracePeriodSeconds"] == nil)
            // Once more is a success.
            try await fixture.runner.remove(run)
        }
    }

    @Test func anotherPodOfTheNameIsLeftAlone() async throws {
        try await RunnerFixture.with { fixture in
            let run = try await started(fixture)
            fixture.cluster.drop("pods", "bot-b")
            try await eventually { try await fixture.runner.runs(of: .live, id: "b").isEmpty }
            try await fixture.runner.start(try liveSpec("b", ["x": 1]), attempt: 0)
            let uid = try fixture.pod("b").uid
            try await fixture.runner.remove(run)
            #expect(try fixture.pod("b").uid == uid && fixture.pod("b").deletion == nil)
        }
    }

    @Test func whatDoesntEndIsToldWithTheNodesState() async throws {
        try await RunnerFixture.with { fixture in
            let run = try await started(fixture)
            fixture.cluster.put(
                "nodes",
                ["metadata": ["name": "n1"], "status": ["conditions": [["type": "Ready", "status": "Unknown"]]]]
            )
            let error = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.remove(run) }
            #expect(error?.code == .notStopped && error?.isRetryable == true)
            #expect(error?.message.contains("node n1 doesn't answer") == true)
            #expect(!fixture.server.requests.contains { $0.json?["gracePeriodSeconds"] == 0 })
        }
    }

    @Test func aNodeThatCantBeLookedAtIsNoReasonForForce() async throws {
        try await RunnerFixture.with { fixture in
            let run = try await started(fixture)
            fixture.cluster.override { $0.path.contains("/nodes/") ? .status(403, "Forbidden") : nil }
            let error = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.remove(run) }
            #expect(error?.code == .notStopped && error?.message.contains("can't be looked at") == true)
            await fixture.runner.lost.sweep(now: .now)
            #expect(fixture.cluster.object("pods", "bot-b") != nil)
        }
    }

    @Test(arguments: [false, true])
    func aPodOfALostNodeGoesByForce(isThere: Bool) async throws {
        try await RunnerFixture.with { fixture in
            let run = try await started(fixture)
            if isThere {
                fixture.cluster.put(
                    "nodes",
                    [
                        "metadata": ["name": "n1"],
                        "spec": ["taints": [["key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"]]],
                    ]
                )
            }
            try await fixture.runner.remove(run)
            #expect(fixture.cluster.objects("pods").isEmpty)
            #expect(fixture.server.requests.last { $0.method == "DELETE" }?.json?["gracePeriodSeconds"] == 0)
        }
    }

    @Test func podsThatWaitForALostNodeAreGivenUpInTime() async throws {
        try await RunnerFixture.with { fixture in
            _ = try await started(fixture)
            fixture.cluster.put("nodes", ["metadata": ["name": "n1"]])
            fixture.cluster.change("pods", "bot-b") { $0[["metadata", "deletionTimestamp"]] = "2026-01-02T04:00:00Z" }
            try await eventually { fixture.runner.view.all.first?.deletion != nil }
            let time = try RFC3339.parse("2026-01-02T04:00:20Z")
            await fixture.runner.lost.sweep(now: time.advanced(by: .seconds(60)))
            #expect(fixture.cluster.object("pods", "bot-b") != nil, "the node is there")
            fixture.cluster.drop("nodes", "n1")
            await fixture.runner.lost.sweep(now: time)
            #expect(fixture.cluster.object("pods", "bot-b") != nil, "its time isn't over")
            await fixture.runner.lost.sweep(now: time.advanced(by: .seconds(60)))
            #expect(fixture.cluster.object("pods", "bot-b") == nil)
        }
    }

    @Test func f53AFailedPodIsReadBeforeItIsDeleted() async throws {
        try await RunnerFixture.with { fixture in
            _ = try await started(fixture)
            fixture.setFailed("b", code: 1)
            let run = try await eventuallyValue {
                try await fixture.runner.runs(of: .live, id: "b").first { $0.exit != nil }
            }
            let reader = FakeFinalReader()
            reader.whenRead { fixture.cluster.object("pods", "bot-b") != nil }
            fixture.runner.readFinally(with: reader)
            try await fixture.runner.remove(run)
            #expect(reader.read == [run.reference] && reader.wasThere == [true])
            #expect(fixture.cluster.objects("pods").isEmpty)
        }
    }

    @Test func aServerThatIsAwayIsNoProofOfAnEnd() async throws {
        try await RunnerFixture.with { fixture in
            let run = try await started(fixture)
            fixture.cluster.override { request in
                request.method == "DELETE" || request.path.contains("pods/") ? .status(500, "InternalError") : nil
            }
            let error = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.remove(run) }
            #expect(error?.isRetryable == true)
            #expect(fixture.cluster.object("pods", "bot-b") != nil)
            fixture.cluster.override { request in
                request.method == "GET" && request.path.contains("pods/") ? .status(500, "InternalError") : nil
            }
            let second = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.remove(run) }
            #expect(second?.code == .notStopped && second?.message.contains("can't be known to be gone") == true)
        }
    }
}
