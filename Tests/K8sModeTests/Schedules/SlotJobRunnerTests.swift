import Control
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

/// Slots run as Jobs, against a cluster in memory; the test plays the Job's controller and the kubelet.
@Suite(.timeLimit(.minutes(1))) struct SlotJobRunnerTests {
    private let slot: Slot = 1_767_258_000
    private let schedule = Samples.schedule("s", "*/10 * * * * *")

    private func running(_ body: (FakeCluster, SlotJobRunner) async throws -> Void) async throws {
        try await withCluster { cluster, client in
            let runner = SlotJobRunner(Samples.cluster(client), instance: "default")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await runner.run() }
                defer { group.cancelAll() }
                try await eventually("the cache") { runner.isSynced }
                try await body(cluster, runner)
            }
        }
    }

    private func run(of runner: SlotJobRunner) async throws -> ObservedRun {
        try #require(try await runner.runs(of: .scheduled, id: "s").first)
    }

    /// Gives a Job its Pod, as the controller does.
    private func pod(_ cluster: FakeCluster, _ job: String, status: JSONValue, node: String? = "node1") throws {
        let owner = Job(json: try #require(cluster.object("jobs", job)))
        var pod = Pod(name: "\(job)-abcde")
        pod.labels = ["job-name": job]
        pod.owners = [OwnerReference(apiVersion: "batch/v1", kind: "Job", name: job, uid: owner.uid)]
        pod.json["status"] = status
        if let node { pod.json[["spec", "nodeName"]] = .string(node) }
        cluster.put("pods", pod.json)
    }

    private func end(_ cluster: FakeCluster, _ job: String, _ type: String, reason: String = "") {
        cluster.change("jobs", job) { json in
            json["status"] = [
                "startTime": "2026-01-02T03:04:06Z",
                "conditions": [
                    [
                        "type": .string(type), "status": "True", "reason": .string(reason),
                        "lastTransitionTime": "2026-01-02T03:05:00Z",
                    ]
                ],
            ]
        }
    }

    private func ended(_ code: Int64, reason: String = "Completed", message: String? = nil) -> JSONValue {
        var state: JSONObject = [
            "exitCode": .integer(code), "reason": .string(reason), "startedAt": "2026-01-02T03:04:10Z",
            "finishedAt": "2026-01-02T03:04:20Z",
        ]
        state["message"] = message.map { .string($0) }
        return [
            "phase": code == 0 ? "Succeeded" : "Failed",
            "containerStatuses": [["name": "bot", "state": ["terminated": .object(state)]]],
        ]
    }

    @Test func aSlotRunsOnceUnderItsName() async throws {
        try await running { cluster, runner in
            let spec = try Samples.spec(schedule, slot: slot)
            try await runner.prepare(spec)
            try await runner.start(spec, attempt: 1)
            let job = Job(json: try #require(cluster.object("jobs", "schedule-s-29454300")))
            #expect(job.spec["backoffLimit"] == 0 && job.spec["ttlSecondsAfterFinished"] == nil)
            #expect(job.spec["activeDeadlineSeconds"] == nil)
            #expect(job.spec[["template", "spec", "restartPolicy"]] == "Never")
            #expect(job.labels["the0.dev/slot"] == "1767258000")
            #expect(!JSONValue.object(job.json).text.contains("hush-hush"))
            let secret = Secret(json: try #require(cluster.objects("secrets").first))
            #expect(secret.owners.map(\.uid) == [job.uid])
            let found = try await run(of: runner)
            #expect(found.slot == slot && found.attempt == 1 && found.isRunning && found.matches(spec))
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 1) }
            #expect(error?.code == .conflict)
            #expect(cluster.objects("jobs").count == 1 && cluster.objects("secrets").count == 1)
            try await eventually("the cache") { try await runner.runs(of: .scheduled) == [found] }
            #expect(try await runner.runs(of: .live).isEmpty)
        }
    }

    @Test func aSlotThatACronJobHasRunIsAConflict() async throws {
        try await running { cluster, runner in
            // As its controller names it.
            cluster.put("jobs", Job(name: "schedule-s-29454300").json)
            let spec = try Samples.spec(schedule, slot: slot)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .conflict)
            #expect(try await runner.runs(of: .scheduled, id: "s").isEmpty)
        }
    }

    @Test func endsAreToldAsThePodsWere() async throws {
        try await running { cluster, runner in
            try await runner.start(try Samples.spec(schedule, slot: slot), attempt: 0)
            let name = "schedule-s-29454300"
            let going = try await run(of: runner)
            let early = await #expect(throws: RunnerError.self) { try await runner.result(of: going, limit: 4096) }
            #expect(early?.code == .conflict)
            try pod(cluster, name, status: ended(7, reason: "Error", message: #"{"profit":1}"#))
            end(cluster, name, "Failed", reason: "BackoffLimitExceeded")
            let run = try await run(of: runner)
            let exit = try #require(run.exit)
            #expect(exit.code == 7 && !exit.outOfMemory && exit.platformError.isEmpty)
            #expect(exit.startedAt == (try RFC3339.parse("2026-01-02T03:04:10Z")))
            #expect(exit.finishedAt == (try RFC3339.parse("2026-01-02T03:04:20Z")))
            #expect(try await runner.result(of: run, limit: 4096) == Array(#"{"profit":1}"#.utf8))
            await #expect(throws: RunnerError.self) { try await runner.result(of: run, limit: 5) }
            // An end doesn't change, and isn't asked for again.
            cluster.drop("pods", "\(name)-abcde")
            #expect(try await self.run(of: runner).exit == exit)
            let error = await #expect(throws: RunnerError.self) { try await runner.result(of: run, limit: 4096) }
            #expect(error?.code == .gone)
        }
    }

    @Test func whatCanBeToldOfOtherEnds() async throws {
        let job = { (type: String) -> Job in
            var job = Job(name: "j")
            job.json["status"] = [
                "conditions": [
                    [
                        "type": .string(type), "status": "True", "reason": "DeadlineExceeded",
                        "lastTransitionTime": "2026-01-02T03:05:00Z",
                    ]
                ]
            ]
            return job
        }
        let lost = JobReading.exit(job("Failed"), pods: [])
        #expect(lost.code == 137 && lost.platformError == "its Pod is gone or never began: DeadlineExceeded")
        #expect(JobReading.exit(job("Complete"), pods: []).code == 0)
        var pod = Pod(name: "p")
        pod.json["status"] = ended(137, reason: "OOMKilled")
        #expect(JobReading.exit(job("Failed"), pods: [pod]).outOfMemory)
        pod.json["status"] = [
            "phase": "Failed", "reason": "Evicted", "message": "no room",
            "initContainerStatuses": [["name": "code", "state": ["terminated": ["exitCode": 3]]]],
        ]
        let unprepared = JobReading.exit(job("Failed"), pods: [pod])
        #expect(unprepared.code == 3)
        #expect(unprepared.platformError == "container code before the bot's ended with 3: Evicted: no room")
    }

    /// Kubelets of 1.20 say that a Pod has failed when its time is over, and end its containers after that.
    @Test func aPodWhoseContainersStillRunHasNotEnded() throws {
        var job = Job(name: "j")
        let failed: JSONValue = [
            "type": "Failed", "status": "True", "lastTransitionTime": "2026-01-02T03:05:00Z",
        ]
        job.json["status"] = ["conditions": [failed]]
        var pod = Pod(name: "p")
        pod.json["status"] = [
            "phase": "Failed", "containerStatuses": [["name": "bot", "state": ["running": [:]]]],
        ]
        let end = try RFC3339.parse("2026-01-02T03:05:00Z")
        func isOver(_ pods: [Pod], after time: Duration) -> Bool {
            JobReading.isOver(job, pods: pods, patience: .seconds(60), now: end.advanced(by: time))
        }
        #expect(!isOver([pod], after: .seconds(10)))
        // Some never tell.
        #expect(isOver([pod], after: .seconds(60)))
        #expect(isOver([], after: .zero))
        pod.json["status"] = ended(42)
        #expect(isOver([pod], after: .zero))
    }

    @Test func aRunOnANodeIsStoppedByItsKubeletAndStays() async throws {
        try await running { cluster, runner in
            try await runner.start(try Samples.spec(schedule, slot: slot), attempt: 0)
            let name = "schedule-s-29454300"
            try pod(cluster, name, status: ["phase": "Running"])
            let run = try await run(of: runner)
            async let stop: Void = runner.stop(run)
            try await eventually("the deadline") {
                cluster.object("pods", "\(name)-abcde")?[["spec", "activeDeadlineSeconds"]] == 1
            }
            #expect(cluster.object("jobs", name)?[["spec", "activeDeadlineSeconds"]] == nil)
            try pod(cluster, name, status: ended(143, reason: "Error"))
            end(cluster, name, "Failed", reason: "BackoffLimitExceeded")
            try await stop
            #expect(try await self.run(of: runner).exit?.code == 143)
            // What has ended is stopped.
            try await runner.stop(run)
        }
    }

    @Test func aRunWithoutANodeIsStoppedByItsJob() async throws {
        try await running { cluster, runner in
            try await runner.start(try Samples.spec(schedule, slot: slot), attempt: 0)
            let name = "schedule-s-29454300"
            try pod(cluster, name, status: ["phase": "Pending"], node: nil)
            let run = try await run(of: runner)
            async let stop: Void = runner.stop(run)
            try await eventually("the deadline") {
                cluster.object("jobs", name)?[["spec", "activeDeadlineSeconds"]] == 1
            }
            end(cluster, name, "Failed", reason: "DeadlineExceeded")
            try await stop
        }
    }

    @Test func aRemovedRunIsGoneWithItsSecret() async throws {
        try await running { cluster, runner in
            try await runner.start(try Samples.spec(schedule, slot: slot), attempt: 0)
            let run = try await run(of: runner)
            try await runner.remove(run)
            #expect(cluster.objects("jobs").isEmpty && cluster.objects("secrets").isEmpty)
            try await runner.remove(run)
            try await runner.stop(run)
            // One that came after it isn't meant.
            try await runner.start(try Samples.spec(schedule, slot: slot), attempt: 0)
            try await runner.remove(run)
            #expect(cluster.objects("jobs").count == 1)
        }
    }

    @Test func aRefusedJobLeavesNothing() async throws {
        try await running { cluster, runner in
            cluster.override { request in
                request.line.hasSuffix("POST /apis/batch/v1/namespaces/the0/jobs") ? .status(403, "Forbidden") : nil
            }
            let spec = try Samples.spec(schedule, slot: slot)
            await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(cluster.objects("secrets").isEmpty)
        }
    }

    @Test func thePlatformIsNamedByTheNamespace() async throws {
        try await running { _, runner in
            let platform = try await runner.platform()
            #expect(platform == "kubernetes/ns-uid/default")
        }
    }

    @Test func nothingIsSaidBeforeTheClusterWasRead() async throws {
        try await withCluster { _, client in
            let runner = SlotJobRunner(Samples.cluster(client), instance: "default")
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .scheduled) }
            #expect(error?.code == .unavailable)
        }
    }
}
