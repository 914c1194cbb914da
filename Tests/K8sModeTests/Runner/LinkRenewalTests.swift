import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct LinkRenewalTests {
    private func link(_ fixture: RunnerFixture) -> String? {
        fixture.secrets.first?["code.json"].map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aLinkIsRenewedHalfwayAndNothingElseChanges() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            try await eventually { fixture.runner.view.secrets.count == 1 }
            let before = try #require(fixture.secrets.first)
            #expect(link(fixture)?.contains("n=1") == true)
            await fixture.runner.renewal.renewDue(now: Timestamp.now.advanced(by: .seconds(1700)))
            #expect(fixture.links.made == 1)
            let later = Timestamp.now.advanced(by: .seconds(1900))
            await fixture.runner.renewal.renewDue(now: later)
            #expect(link(fixture)?.contains("n=2") == true)
            let after = try #require(fixture.secrets.first)
            #expect(after.uid == before.uid && after["config"] == before["config"] && after.owners == before.owners)
            #expect(after.annotations[K8sAnnotation.linkRenewal] != before.annotations[K8sAnnotation.linkRenewal])
            // Applied as the owner of that one entry, over that very Secret.
            let patch = try #require(fixture.server.requests.first { $0.method == "PATCH" })
            #expect(patch.query["fieldManager"] == "the0-link" && patch.query["force"] == "true")
            #expect(patch.json?["data"]?.object?.keys == ["code.json"])
            #expect(patch.json?[["metadata", "uid"]]?.string == before.uid)
            await fixture.runner.renewal.renewDue(now: later)
            #expect(fixture.links.made == 2)
        }
    }

    @Test func theProgramIsKnownAfterARestart() async throws {
        let cluster = FakeCluster()
        try await RunnerFixture.with(cluster: cluster) { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
        }
        try await RunnerFixture.with(cluster: cluster) { fixture in
            await fixture.runner.renewal.renewDue(now: Timestamp.now.advanced(by: .seconds(3000)))
            #expect(fixture.links.made == 1 && link(fixture)?.contains("n=1") == true)
            #expect(fixture.count("PATCH", "secrets") == 1)
        }
    }

    @Test func whatCantBeRenewedIsTriedLessAndLessOften() async throws {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            try await eventually { fixture.runner.view.secrets.count == 1 }
            fixture.links.fail(RunnerError(.codeUnavailable, "no store"))
            let due = Timestamp.now.advanced(by: .seconds(3000))
            for seconds in [0, 0.1, 2, 2.1, 2.2] {
                await fixture.runner.renewal.renewDue(now: due.advanced(by: .seconds(seconds)))
            }
            #expect(fixture.links.made == 3)
            fixture.links.fail(nil)
            await fixture.runner.renewal.renewDue(now: due.advanced(by: .seconds(60)))
            #expect(link(fixture)?.contains("n=4") == true)
        }
    }

    @Test func secretsThatSayNothingSensibleOfALinkAreLeftAlone() async throws {
        try await RunnerFixture.with { fixture in
            let labels = JSONValue(strings: Ownership(instance: "default").labels(of: .live, id: "b"))
            fixture.cluster.put("secrets", ["metadata": ["name": "none", "labels": labels]])
            fixture.cluster.put(
                "secrets",
                [
                    "metadata": [
                        "name": "odd", "labels": labels,
                        "annotations": ["the0.dev/program": "{", "the0.dev/link-renewal": "never"],
                    ]
                ]
            )
            try await eventually { fixture.runner.view.secrets.count == 2 }
            await fixture.runner.renewal.renewDue(now: .now)
            #expect(fixture.links.made == 0 && fixture.count("PATCH", "secrets") == 0)
        }
    }
}
