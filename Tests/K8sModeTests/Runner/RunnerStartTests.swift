import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct RunnerStartTests {
    @Test func aStartMakesAPodASecretAndAClaimThatBelongTogether() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 2)
            let pod = try fixture.pod("b")
            let secret = try #require(fixture.secrets.first)
            #expect(fixture.secrets.count == 1 && secret.name == pod.secretName)
            #expect(secret.owners == [OwnerReference(apiVersion: "v1", kind: "Pod", name: "bot-b", uid: pod.uid)])
            #expect(secret["config"].map { String(decoding: $0, as: UTF8.self) } == #"{"key":"pa55word"}"#)
            #expect(LinkedProgram(text: secret.annotations[K8sAnnotation.program] ?? "")?.id == "b")
            let claim = VolumeClaim(json: try #require(fixture.cluster.object("persistentvolumeclaims", "bot-state-b")))
            #expect(claim.annotations[K8sAnnotation.id] == "b" && claim.owners.isEmpty)
            #expect(claim.json[["spec", "resources", "requests", "storage"]] == "1073741824")
            let run = try one(try await fixture.runner.runs(of: .live, id: "b"))
            #expect(run.matches(try liveSpec("b")) && run.attempt == 2 && run.isRunning)
            try await eventually { fixture.cluster.objects("events").count == 1 }
            #expect(fixture.cluster.objects("events").first?["reason"] == "Created")
        }
    }

    @Test func f54NoSecretValueIsInAPodAnEventOrARequestThatMakesOne() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            try await eventually { !fixture.cluster.objects("events").isEmpty }
            let bodies = fixture.server.requests.filter { !$0.path.hasSuffix("/secrets") }
                .map { String(decoding: $0.body, as: UTF8.self) + $0.path }
            for body in bodies { #expect(!body.contains("pa55word") && !body.contains(FakeLinks.secret)) }
            // No list or watch ever reads a Secret's values.
            let reads = fixture.server.requests.filter { $0.method == "GET" && $0.path.contains("secrets") }
            #expect(!reads.isEmpty)
            for read in reads { #expect(read.headers["accept"]?.contains("PartialObjectMetadata") == true) }
        }
    }

    @Test func f48IdsThatNoLabelOrNameCanHoldAreServed() async throws {
        let ids = ["A_b", "x-", "../../c", "\n", String(repeating: "y", count: 300), "c-\u{E9}", "c-e\u{301}"].map {
            BotID($0)
        }
        try await RunnerFixture.with { fixture in
            for id in ids { try await fixture.runner.start(try liveSpec(id), attempt: 0) }
            for id in ids {
                let run = try one(try await fixture.runner.runs(of: .live, id: id))
                #expect(run.id == id)
            }
            #expect(Set(try await fixture.runner.runs(of: .live).map(\.id)) == Set(ids))
        }
    }

    @Test func whatWasWrittenIsSeenAlthoughTheWatchIsBehind() async throws {
        try await RunnerFixture.with { fixture in
            fixture.cluster.tell(false)
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            let run = try one(try await fixture.runner.runs(of: .live, id: "b"))
            #expect(run.isRunning)
            try await fixture.runner.remove(run)
            #expect(try await fixture.runner.runs(of: .live, id: "b").isEmpty)
            fixture.cluster.tell(true)
            try await eventually { fixture.runner.view.cache.count == 0 }
            #expect(try await fixture.runner.runs(of: .live, id: "b").isEmpty)
        }
    }

    @Test func onceTheWatchShowsItTheServerIsntAskedAgain() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            _ = try await fixture.runner.runs(of: .live, id: "b")
            let before = fixture.count("GET", "pods/")
            for _ in 0..<5 { _ = try await fixture.runner.runs(of: .live, id: "b") }
            #expect(fixture.count("GET", "pods/") == before)
        }
    }

    @Test func startingWhatRunsIsASuccessAndAnotherSpecificationAConflict() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            let uid = try fixture.pod("b").uid
            try await fixture.runner.start(try liveSpec("b"), attempt: 1)
            let other = try liveSpec("b", ["x": 1])
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(other, attempt: 0)
            }
            #expect(error?.code == .conflict && error?.isRetryable == true)
            #expect(try fixture.pod("b").uid == uid && fixture.secrets.count == 1)
        }
    }

    @Test func f05WhatHasEndedIsReplacedAfterItWasRead() async throws {
        try await RunnerFixture.with { fixture in
            let reader = FakeFinalReader()
            fixture.runner.readFinally(with: reader)
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            let first = try fixture.pod("b")
            fixture.setFailed("b", code: 3)
            try await eventually { try await fixture.runner.runs(of: .live, id: "b").first?.exit?.code == 3 }
            reader.whenRead { fixture.cluster.object("pods", "bot-b") != nil }
            try await fixture.runner.start(try liveSpec("b", ["x": 1]), attempt: 1)
            #expect(reader.read == [PodReference(first).text] && reader.wasThere == [true])
            let second = try fixture.pod("b")
            #expect(second.uid != first.uid)
            // The old one's Secret went with it, the new one has its own.
            #expect(fixture.secrets.map(\.name) == [second.secretName])
            try await eventually { fixture.cluster.objects("events").count == 3 }
            let messages = fixture.cluster.objects("events").compactMap { $0["message"]?.string }
            #expect(messages.contains("made in place of one that ended with exit code 3"))
        }
    }

    @Test func aPodWithoutItsSecretIsCompleted() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            let pod = try fixture.pod("b")
            // As if the process had died between the two.
            let other = try RunnerFixture(cluster: fixture.cluster)
            defer { other.server.stop() }
            fixture.cluster.drop("secrets", pod.secretName ?? "")
            try await other.running {
                let run = try one(try await other.runner.runs(of: .live, id: "b"))
                #expect(run.phase == .created)
                try await other.runner.start(try liveSpec("b"), attempt: 0)
                #expect(try other.pod("b").uid == pod.uid && other.secrets.map(\.name) == [pod.secretName])
                // The plan then removes the trace that it saw, which is the run by now.
                try await other.runner.remove(run)
                let kept = try one(try await other.runner.runs(of: .live, id: "b"))
                #expect(kept.isRunning)
            }
        }
    }

    @Test func aTraceOfAnotherSpecificationIsReplaced() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            let pod = try fixture.pod("b")
            let other = try RunnerFixture(cluster: fixture.cluster)
            defer { other.server.stop() }
            fixture.cluster.drop("secrets", pod.secretName ?? "")
            try await other.running {
                try await other.runner.start(try liveSpec("b", ["x": 1]), attempt: 0)
                #expect(try other.pod("b").uid != pod.uid && other.secrets.count == 1)
            }
        }
    }

    @Test func aStartThatFailsLeavesNoPodBehind() async throws {
        try await RunnerFixture.with { fixture in
            fixture.cluster.override { request in
                guard request.method == "POST", request.path.hasSuffix("/secrets") else { return nil }
                return .status(422, "Invalid", "data: Invalid value: pa55word")
            }
            let spec = try liveSpec("b")
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(spec, attempt: 0)
            }
            #expect(error?.code == .refused && error?.isRetryable == false)
            // What a server says of a Secret may repeat what is in it.
            #expect(error?.message.contains("pa55word") == false && error?.message.contains("422 Invalid") == true)
            #expect(fixture.cluster.objects("pods").isEmpty)
        }
    }

    @Test func refusalsSayWhatTheServerSays() async throws {
        try await RunnerFixture.with { fixture in
            func refuse(_ answer: FakeAnswer) async throws -> RunnerError? {
                fixture.cluster.override { request in
                    request.method == "POST" && request.path.hasSuffix("/pods") ? answer : nil
                }
                let spec = try liveSpec("b")
                return await runnerFailure { () async throws(RunnerError) in
                    try await fixture.runner.start(spec, attempt: 0)
                }
            }
            let right = try await refuse(.status(403, "Forbidden", "User x cannot create"))
            #expect(right?.message.contains("missing right: verb create on resource pods") == true)
            #expect(right?.code == .refused && right?.isRetryable == true)
            let quota = try await refuse(
                .json(
                    403,
                    #"{"kind":"Status","reason":"Forbidden","code":403,"message":"exceeded quota: q","details":{"name":"bot-b","kind":"pods"}}"#
                )
            )
            #expect(quota?.isRetryable == true && quota?.message.contains("exceeded quota: q") == true)
            #expect(quota?.message.contains("missing right") == false)
            let invalid = try await refuse(.status(422, "Invalid", "spec.containers[0].image: Required"))
            #expect(invalid?.code == .refused && invalid?.isRetryable == false)
            #expect(invalid?.message.contains("spec.containers[0].image: Required") == true)
            #expect(try await refuse(.status(400, "BadRequest"))?.isRetryable == false)
            for answer in [FakeAnswer.status(500, "InternalError"), .reset, .raw("garbage\r\n\r\n"), .ok("[1]")] {
                let error = try await refuse(answer)
                #expect(error?.code == .unavailable && error?.isRetryable == true, "\(answer)")
            }
            #expect(fixture.secrets.isEmpty)
        }
    }

    @Test func whatStandsUnderTheNameAndIsntOursIsntTouched() async throws {
        try await RunnerFixture.with { fixture in
            fixture.cluster.put(
                "pods",
                ["metadata": ["name": "bot-b", "labels": ["app": "x"]], "status": ["phase": "Failed"]]
            )
            let other = try liveSpec("b")
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(other, attempt: 0)
            }
            #expect(error?.code == .conflict)
            #expect(fixture.count("DELETE", "pods") == 0 && fixture.secrets.isEmpty)
            fixture.cluster.put("persistentvolumeclaims", ["metadata": ["name": "bot-state-c"]])
            let spec = try liveSpec("c")
            let claim = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(spec, attempt: 0)
            }
            #expect(claim?.code == .conflict && fixture.cluster.object("pods", "bot-c") == nil)
        }
    }

    @Test func aClaimThatIsGoingIsWaitedFor() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            try await fixture.runner.remove(try one(try await fixture.runner.runs(of: .live)))
            fixture.cluster.change("persistentvolumeclaims", "bot-state-b") {
                $0[["metadata", "deletionTimestamp"]] = "2026-01-02T03:04:05Z"
            }
            let spec = try liveSpec("b")
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(spec, attempt: 0)
            }
            #expect(error?.code == .conflict && fixture.cluster.objects("pods").isEmpty)
        }
    }

    @Test func codeThatCantBeHadStopsNothingAndMakesNothing() async throws {
        try await RunnerFixture.with { fixture in
            fixture.links.fail(RunnerError(.codeUnavailable, "no store"))
            let spec = try liveSpec("b")
            let prepared = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.prepare(spec)
            }
            #expect(prepared?.code == .codeUnavailable)
            let started = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(spec, attempt: 0)
            }
            #expect(started?.code == .codeUnavailable)
            #expect(!fixture.server.requests.contains { $0.method != "GET" })
        }
    }

    @Test func aReplacementThatTheServerWouldRefuseIsKnownBeforeAnythingIsStopped() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.prepare(try liveSpec("b"))
            // Nothing runs: the start itself will tell.
            #expect(!fixture.server.requests.contains { $0.method == "POST" })
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            try await fixture.runner.prepare(try liveSpec("b", ["x": 1]))
            #expect(fixture.server.requests.count { $0.query["dryRun"] == "All" } == 1)
            fixture.cluster.override { $0.query["dryRun"] == nil ? nil : .status(422, "Invalid", "spec.x: bad") }
            let spec = try liveSpec("b", ["x": 2])
            let error = await runnerFailure { () async throws(RunnerError) in try await fixture.runner.prepare(spec) }
            #expect(error?.code == .refused && error?.message.contains("spec.x: bad") == true)
            // A quota counts what is to go.
            fixture.cluster.override { $0.query["dryRun"] == nil ? nil : .status(403, "Forbidden") }
            try await fixture.runner.prepare(spec)
        }
    }

    @Test func scheduledRunsAreRefusedHere() async throws {
        try await RunnerFixture.with { fixture in
            let live = try liveSpec("b").executable
            let slot = Executable(id: "b", kind: .scheduled, slot: 5, config: [:], custom: live.custom)
            let spec = try LaunchSpecBuilder().spec(for: slot)
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.start(spec, attempt: 0)
            }
            #expect(error?.code == .refused && podBodies(fixture.server).isEmpty)
        }
    }

    @Test func stateInThePodNeedsNoClaim() async throws {
        let settings = K8sSettings(runtimeImage: "r", state: .ephemeral)
        try await RunnerFixture.with(settings: settings) { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            #expect(fixture.cluster.objects("persistentvolumeclaims").isEmpty)
            #expect(podBodies(fixture.server).count == 1 && !podBodies(fixture.server)[0].contains("persistentVolume"))
        }
    }
}
