import Model
import Runtime
import Testing
import Util

@testable import K8sMode

@Suite struct PodReadingTests {
    private static let now = Timestamp(secondsSince1970: 1_767_330_000)

    private func pod(_ status: JSONObject, _ change: (inout Pod) -> Void = { _ in }) throws -> Pod {
        var pod = Pod(name: "bot-b", namespace: "the0")
        pod.json[["metadata", "uid"]] = "u1"
        pod.json[["metadata", "creationTimestamp"]] = "2026-01-02T03:04:05Z"
        let spec = try liveSpec("b")
        pod.labels = spec.labels(Ownership(instance: "default"))
        pod.annotations = spec.annotations(attempt: 2)
        pod.spec = try PodTemplate(spec, settings: K8sSettings(runtimeImage: "r")).podSpec(secret: "s", claim: nil)
        pod.spec["nodeName"] = "n1"
        pod.json["status"] = .object(status)
        change(&pod)
        return PodReading.reduced(pod)
    }

    private func run(_ pod: Pod, hasSecret: Bool = true) throws -> ObservedRun {
        let reading = PodReading(ownership: Ownership(instance: "default"))
        return try #require(reading.run(pod, hasSecret: hasSecret, now: Self.now))
    }

    private func bot(_ state: JSONValue, last: JSONValue? = nil, restarts: Int64 = 0, ready: Bool = false) -> JSONObject
    {
        var status: JSONObject = [
            "name": "bot", "state": state, "restartCount": .integer(restarts), "ready": .bool(ready),
        ]
        if let last { status["lastState"] = last }
        return ["phase": "Running", "containerStatuses": [.object(status)]]
    }

    private func ended(_ code: Int64, _ reason: String) -> JSONValue {
        [
            "terminated": [
                "exitCode": .integer(code), "reason": .string(reason), "startedAt": "2026-01-02T03:05:00Z",
                "finishedAt": "2026-01-02T03:06:00Z", "containerID": "docker://1",
            ]
        ]
    }

    @Test func f01APodCarriesWhatItWasStartedFrom() throws {
        let run = try run(try pod(["phase": "Pending"]))
        let (same, other) = (try liveSpec("b"), try liveSpec("b", ["x": 1]))
        #expect(run.matches(same) && !run.matches(other))
        #expect(run.id == "b" && run.attempt == 2 && run.reference == "bot-b/u1")
        #expect(run.createdAt == (try RFC3339.parse("2026-01-02T03:04:05Z")))
    }

    @Test func whatTheKubeletMayStillStartCountsAsRunningAndSaysWhatItWaitsFor() throws {
        let made = try RFC3339.parse("2026-01-02T03:04:05Z")
        #expect(try run(pod(["phase": "Pending"])).phase == .running(since: made))
        #expect(try run(pod(["phase": "Pending"])).note == "")
        let unplaced = try run(
            pod([
                "phase": "Pending",
                "conditions": [
                    [
                        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                        "message": "0/1 nodes are available\n",
                    ]
                ],
            ])
        )
        #expect(unplaced.isRunning && unplaced.note == "waits for a node: Unschedulable: 0/1 nodes are available ")
        let crashing = try run(
            pod(
                bot(
                    ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off 5m0s"]],
                    last: ended(137, "OOMKilled"),
                    restarts: 4
                )
            )
        )
        #expect(
            crashing.isRunning
                && crashing.note
                    == "waits: CrashLoopBackOff: back-off 5m0s; restarted 4 times, last exit code 137, out of memory"
        )
        let unpacking = try run(
            pod([
                "phase": "Pending",
                "initContainerStatuses": [
                    ["name": "code", "state": ["waiting": ["reason": "ImagePullBackOff", "message": "no such image"]]]
                ],
                "containerStatuses": [["name": "bot", "state": ["waiting": ["reason": "PodInitializing"]]]],
            ])
        )
        #expect(unpacking.isRunning && unpacking.note == "unpacking the code waits: ImagePullBackOff: no such image")
        let running = try run(pod(bot(["running": ["startedAt": "2026-01-02T03:05:00Z"]], ready: true)))
        #expect(running.phase == .running(since: try RFC3339.parse("2026-01-02T03:05:00Z")) && running.note == "")
        #expect(try run(pod(["phase": "Unknown"])).isRunning)
        #expect(try run(pod(["phase": "SomethingNew"])).isRunning)
    }

    @Test func f05APodThatHasEndedTellsHow() throws {
        let start = try RFC3339.parse("2026-01-02T03:05:00Z")
        let end = try RFC3339.parse("2026-01-02T03:06:00Z")
        var status = bot(ended(3, "Error"))
        status["phase"] = "Failed"
        #expect(try run(pod(status)).exit == Exit(code: 3, startedAt: start, finishedAt: end))
        status = bot(ended(137, "OOMKilled"))
        status["phase"] = "Failed"
        #expect(try run(pod(status)).exit?.outOfMemory == true)
        let evicted = try run(
            pod([
                "phase": "Failed", "reason": "Evicted", "message": "The node was low on\nmemory",
                "startTime": "2026-01-02T03:04:30Z",
            ])
        )
        #expect(evicted.exit?.code == 137 && evicted.exit?.platformError == "Evicted: The node was low on memory")
        #expect(evicted.exit?.startedAt == evicted.exit?.finishedAt)
        #expect(try run(pod(["phase": "Succeeded"])).exit?.code == 0)
        // It has ended although its clock was set back meanwhile.
        var odd = bot([
            "terminated": ["exitCode": 1, "startedAt": "2026-01-02T03:05:00Z", "finishedAt": "2026-01-02T03:04:00Z"]
        ])
        odd["phase"] = "Failed"
        let exit = try #require(try run(pod(odd)).exit)
        #expect(exit.finishedAt >= exit.startedAt)
    }

    @Test func aPodThatIsToGoIsLeavingAndSaysWhyItStays() throws {
        func leaving(_ time: String, _ change: (inout Pod) -> Void = { _ in }) throws -> ObservedRun {
            try run(
                pod(bot(["running": [:]])) { pod in
                    pod.json[["metadata", "deletionTimestamp"]] = .string(time)
                    change(&pod)
                }
            )
        }
        let fresh = try leaving("2026-01-02T04:59:50Z")
        #expect(fresh.phase == .leaving && fresh.note == "")
        let stuck = try leaving("2026-01-02T04:00:00Z")
        #expect(
            stuck.phase == .leaving && stuck.note.contains("node n1") && stuck.note.contains("isn't removed by force")
        )
        let held = try leaving("2026-01-02T04:00:00Z") { $0.json[["metadata", "finalizers"]] = ["x/y"] }
        #expect(held.note == "should have been gone at 2026-01-02T04:00:00Z; kept by x/y")
    }

    @Test func aNodeThatDoesntAnswerIsNamed() throws {
        var status = bot(["running": ["startedAt": "2026-01-02T03:05:00Z"]], ready: true)
        status["conditions"] = [["type": "Ready", "status": "False"]]
        let run = try run(pod(status))
        #expect(run.isRunning && run.note == "node n1 doesn't answer")
    }

    @Test func aPodWithoutItsSecretWasNeverStarted() throws {
        #expect(try run(pod(["phase": "Pending"]), hasSecret: false).phase == .created)
        let waiting: JSONValue = ["waiting": ["reason": "CreateContainerConfigError"]]
        #expect(try run(pod(bot(waiting, restarts: 2)), hasSecret: false).phase == .created)
        // What runs goes on.
        let running = try run(pod(bot(["running": [:]])), hasSecret: false)
        #expect(running.isRunning && running.note == "its Secret isn't there")
        #expect(try run(pod(bot(["waiting": ["reason": "CrashLoopBackOff"]])), hasSecret: false).isRunning)
    }

    @Test func onlyOursOfThisInstanceAreSeen() throws {
        let reading = PodReading(ownership: Ownership(instance: "other"))
        #expect(reading.run(try pod(["phase": "Running"]), hasSecret: true, now: Self.now) == nil)
        let own = PodReading(ownership: Ownership(instance: "default"))
        for label in [K8sLabel.kind, K8sLabel.instance] {
            #expect(own.run(try pod([:]) { $0.labels[label] = "x" }, hasSecret: true, now: Self.now) == nil)
        }
        #expect(own.run(try pod([:]) { $0.annotations = [:] }, hasSecret: true, now: Self.now) == nil)
    }

    @Test func f57PodsOfOtherVersionsAreSeenAndNeverWhatTheyShouldBe() throws {
        for prefix in ["the0.dev", "the0.app"] {
            let legacy = LegacyPod(prefix: prefix)
            let old = try pod(bot(["running": ["startedAt": "2026-01-02T03:05:00Z"]])) { pod in
                pod.annotations = ["\(prefix)/config-hash": "0123456789abcdef"]
                pod.labels = ["\(prefix)/managed-by": "the0-bot-controller", "\(prefix)/bot-id": "b"]
            }
            let run = try #require(legacy.run(old, now: Self.now))
            let spec = try liveSpec("b")
            #expect(run.id == "b" && run.isRunning && !run.matches(spec))
            #expect(FakeCluster.State.matches(old.json, legacy.selection.labels))
            // Ours carry the same label of 1.2.0, and an instance.
            #expect(legacy.run(try pod([:]), now: Self.now) == nil)
            #expect(!FakeCluster.State.matches(try pod([:]).json, legacy.selection.labels))
            let query = try pod([:]) { $0.labels = ["\(prefix)/managed-by": "the0-query-handler"] }
            #expect(legacy.run(query, now: Self.now) == nil)
        }
    }

    @Test func f54WhatIsKeptOfAPodHasNoEnvironment() throws {
        let kept = try pod(["phase": "Running"]) { pod in
            pod.spec["containers"] = [
                [
                    "name": "bot", "image": "python:3.11-slim",
                    "env": [["name": "MINIO_SECRET_KEY", "value": "pa55word"]], "command": ["pa55word"],
                ]
            ]
        }
        #expect(!JSONValue.object(kept.json).text.contains("pa55word"))
        #expect(kept.node == "n1" && kept.secretName == "s")
    }
}
