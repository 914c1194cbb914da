import Control
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

/// Schedules kept as CronJobs, against a cluster in memory.
@Suite(.timeLimit(.minutes(1))) struct CronJobRunnerTests {
    private func running(
        _ body: (FakeCluster, CronJobRunner) async throws -> Void
    ) async throws {
        try await withCluster { cluster, client in
            let runner = CronJobRunner(Samples.cluster(client), since: CronJobTranslationTests.begin)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await runner.run() }
                defer { group.cancelAll() }
                try await eventually("the caches") { runner.isSynced }
                try await body(cluster, runner)
            }
        }
    }

    private func only(_ cluster: FakeCluster) throws -> CronJob {
        let all = cluster.objects("cronjobs")
        #expect(all.count == 1)
        return CronJob(json: try #require(all.first))
    }

    @Test func aScheduleBecomesACronJobWithItsSecret() async throws {
        try await running { cluster, runner in
            let spec = try Samples.spec(Samples.schedule("daily", "0 9 * * *"), on: runner)
            try await runner.prepare(spec)
            try await runner.start(spec, attempt: 0)
            let made = try only(cluster)
            #expect(made.name == "schedule-daily" && made.schedule == "0 9 * * *" && made.timeZone == "UTC")
            #expect(made.labels["the0.dev/schedule-id"] == "daily")
            #expect(made.labels["the0.dev/managed-by"] == "the0-schedule-controller")
            #expect(made.annotations["the0.dev/spec-hash"] == spec.hash)
            // Neither parameters nor link are in it.
            let text = JSONValue.object(made.json).text
            #expect(!text.contains("hush-hush") && !text.contains("secret-link"))
            let secret = Secret(json: try #require(cluster.objects("secrets").first))
            #expect(cluster.objects("secrets").count == 1)
            #expect(made.annotations["the0.dev/secret"] == secret.name)
            #expect(secret.owners.map(\.uid) == [made.uid] && secret.owners.map(\.kind) == ["CronJob"])
            #expect(secret.entries.contains("the0_once.sh") && secret.entries.contains("entrypoint.sh"))
            #expect(secret.annotations["the0.dev/link-renewal"] != nil && secret.annotations["the0.dev/program"] != nil)
            let pod = try #require(made.spec[["jobTemplate", "spec", "template", "spec"]]?.object)
            #expect(pod["restartPolicy"] == "Never")
            let bot = try #require(pod["containers"]?.array?.first?.object)
            #expect(bot["command"]?.array?.first == "/bin/sh")
            #expect(bot["command"]?.array?[1] == "/the0/the0_once.sh")
            #expect(text.contains(#""path":"the0_once.sh""#))
            // Done twice is done once.
            try await runner.start(spec, attempt: 0)
            #expect(cluster.objects("secrets").count == 1)
            let run = try #require(try await runner.runs(of: .scheduled, id: "daily").first)
            #expect(run.isRunning && run.matches(spec))
        }
    }

    @Test func aChangeIsMadeInPlace() async throws {
        try await running { cluster, runner in
            let before = try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner)
            try await runner.start(before, attempt: 0)
            let old = try only(cluster)
            // Text and policies count, the way of writing them doesn't.
            #expect(
                try Samples.spec(Samples.schedule("s", "0 9 * * *", ["overlap": "allow"]), on: runner).hash
                    != before.hash
            )
            let after = try Samples.spec(Samples.schedule("s", "0 10 * * *", ["retries": 1]), on: runner)
            #expect(after.hash != before.hash)
            let run = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            try await runner.update(run, to: after)
            let new = try only(cluster)
            #expect(new.uid == old.uid && new.schedule == "0 10 * * *")
            #expect(new.annotations["the0.dev/spec-hash"] == after.hash)
            #expect(new.annotations["the0.dev/secret"] != old.annotations["the0.dev/secret"])
            // What an old Job may still need is there.
            #expect(cluster.objects("secrets").count == 2)
            try await runner.update(run, to: after)
            #expect(cluster.objects("secrets").count == 2)
            // Another one of the name is another's affair.
            cluster.change("cronjobs", new.name) { $0[["metadata", "uid"]] = "other" }
            await #expect(throws: RunnerError.self) { try await runner.update(run, to: before) }
        }
    }

    @Test func aRemovedCronJobLeavesWhatItHasBegun() async throws {
        try await running { cluster, runner in
            let spec = try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner)
            try await runner.start(spec, attempt: 0)
            let cronJob = try only(cluster)
            let secret = try #require(cronJob.annotations["the0.dev/secret"])
            var job = Job(name: "schedule-s-29454300")
            job.labels = cronJob.labels
            job.annotations = ["the0.dev/id": "s", "the0.dev/secret": secret]
            job.owners = [
                OwnerReference(
                    apiVersion: "batch/v1",
                    kind: "CronJob",
                    name: cronJob.name,
                    uid: cronJob.uid,
                    isController: true
                )
            ]
            cluster.put("jobs", job.json)
            #expect(try await runner.kept(["s", "other"]) == ["s"])
            let run = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            try await runner.remove(run)
            #expect(cluster.objects("cronjobs").isEmpty)
            let left = Job(json: try #require(cluster.object("jobs", job.name)))
            #expect(left.owners.isEmpty)
            #expect(Secret(json: try #require(cluster.object("secrets", secret))).owners.map(\.uid) == [left.uid])
            // It counts as kept until the watch tells of its end as well.
            try await eventually("nothing is kept") { try await runner.kept(["s"]).isEmpty }
            // Gone is gone.
            try await runner.remove(run)
        }
    }

    @Test func aRemovedCronJobWithoutJobsTakesItsSecretAlong() async throws {
        try await running { cluster, runner in
            try await runner.start(try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner), attempt: 0)
            try await runner.remove(try #require(try await runner.runs(of: .scheduled, id: "s").first))
            #expect(cluster.objects("cronjobs").isEmpty && cluster.objects("secrets").isEmpty)
        }
    }

    @Test(arguments: ["the0.dev", "the0.app"])
    func f57CronJobsOfOtherVersionsAreReplacedOnce(prefix: String) async throws {
        try await withCluster { cluster, client in
            var legacy = CronJob(name: "schedule-old-name")
            legacy.labels = ["\(prefix)/managed-by": "the0-schedule-controller", "\(prefix)/schedule-id": "s"]
            legacy.annotations = ["\(prefix)/schedule-hash": "abc"]
            cluster.put("cronjobs", legacy.json)
            var foreign = CronJob(name: "backup")
            foreign.labels = ["app": "backup"]
            cluster.put("cronjobs", foreign.json)
            let uid = try #require(cluster.object("cronjobs", legacy.name)?[["metadata", "uid"]]?.string)
            var job = Job(name: "schedule-old-name-1")
            job.owners = [OwnerReference(apiVersion: "batch/v1", kind: "CronJob", name: legacy.name, uid: uid)]
            cluster.put("jobs", job.json)
            let runner = CronJobRunner(Samples.cluster(client), since: CronJobTranslationTests.begin)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await runner.run() }
                defer { group.cancelAll() }
                try await eventually("the caches") { runner.isSynced }
                let found = try await runner.runs(of: .scheduled)
                #expect(found.map(\.id) == ["s"] && found.map(\.phase) == [.created])
                #expect(try await runner.kept(["s"]) == ["s"])
                let spec = try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner)
                let plan = Plan(
                    desired: .running(spec, .standard),
                    observed: found,
                    updatesInPlace: true,
                    now: .now
                )
                for action in plan.actions {
                    switch action {
                    case .start(let spec, let attempt): try await runner.start(spec, attempt: attempt)
                    case .update(let run, let spec): try await runner.update(run, to: spec)
                    case .remove(let run, _): try await runner.remove(run)
                    }
                }
                #expect(cluster.objects("cronjobs").count == 2)
                #expect(cluster.object("cronjobs", legacy.name) == nil)
                #expect(cluster.object("cronjobs", "backup") != nil && cluster.object("cronjobs", "schedule-s") != nil)
                // What it had begun goes on, and is ours to tidy up.
                let left = Job(json: try #require(cluster.object("jobs", job.name)))
                #expect(left.owners.isEmpty && left.labels["the0.dev/instance"] == "default")
            }
        }
    }

    @Test func anotherInstanceLeavesThemAlone() async throws {
        let labels = ["the0.dev/managed-by": "the0-schedule-controller", "the0.dev/schedule-id": "s"]
        var legacy = CronJob(name: "c")
        legacy.labels = labels
        let other = CronJobReading(ownership: Ownership(instance: "second"))
        #expect(other.run(legacy) == nil)
        #expect(CronJobReading(ownership: Ownership(instance: "default")).run(legacy)?.id == "s")
    }

    @Test func aNameThatIsSomebodyElsesIsAConflict() async throws {
        try await running { cluster, runner in
            cluster.put("cronjobs", CronJob(name: "schedule-s").json)
            let spec = try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .conflict)
            #expect(try only(cluster).schedule == "" && cluster.objects("secrets").isEmpty)
        }
    }

    @Test func aSuspendedOneIsMadeAnewForItWouldMakeUpForWhatPassed() async throws {
        try await running { cluster, runner in
            let spec = try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner)
            try await runner.start(spec, attempt: 0)
            let old = try only(cluster)
            cluster.change("cronjobs", old.name) { $0[["spec", "suspend"]] = true }
            #expect(try await runner.runs(of: .scheduled, id: "s").map(\.phase) == [.created])
            try await runner.start(spec, attempt: 0)
            let new = try only(cluster)
            #expect(new.uid != old.uid && !new.isSuspended)
        }
    }

    @Test func aRefusedCronJobLeavesNothing() async throws {
        try await running { cluster, runner in
            cluster.override { request in
                request.method == "PATCH" && request.path.hasSuffix("cronjobs/schedule-s")
                    ? .status(422, "Invalid", "spec.schedule: hush-hush") : nil
            }
            let spec = try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .refused)
            #expect(cluster.objects("secrets").isEmpty)
        }
    }

    @Test func aServerThatDropsTheTimeZoneKeepsNoCronJob() async throws {
        try await running { cluster, runner in
            cluster.override { request in
                guard request.method == "PATCH", request.path.hasSuffix("cronjobs/schedule-s"), var body = request.json
                else { return nil }
                body[["spec", "timeZone"]] = nil
                cluster.put("cronjobs", body)
                return .ok(JSONValue.object(cluster.object("cronjobs", "schedule-s") ?? [:]).text)
            }
            let spec = try Samples.spec(Samples.schedule("s", "0 9 * * *", ["timezone": "Asia/Tokyo"]), on: runner)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.message.contains("has dropped its time zone") == true)
            #expect(cluster.objects("cronjobs").isEmpty)
        }
    }

    @Test func leftoversGoAfterAnHour() async throws {
        try await running { cluster, runner in
            try await runner.start(try Samples.spec(Samples.schedule("s", "0 9 * * *"), on: runner), attempt: 0)
            let cronJob = try only(cluster)
            let own = runner.cluster.ownership.labels(of: .scheduled, id: "gone")
            func put(_ name: String, _ change: (inout Job) -> Void) {
                var job = Job(name: name)
                job.labels = own
                change(&job)
                cluster.put("jobs", job.json)
            }
            let done: JSONValue = [
                "completionTime": "2026-01-01T00:00:00Z", "conditions": [["type": "Complete", "status": "True"]],
            ]
            put("done") { $0.json["status"] = done }
            put("going") { $0.annotations = ["the0.dev/secret": "needed"] }
            put("of-a-slot") { job in
                job.json["status"] = done
                job.labels["the0.dev/slot"] = "1"
            }
            for name in ["needed", "lost"] {
                var secret = Secret(name: name)
                secret.labels = own
                secret.json[["metadata", "creationTimestamp"]] = "2026-01-01T00:00:00Z"
                cluster.put("secrets", secret.json)
            }
            try await runner.tidy(now: Timestamp(secondsSince1970: 1_767_225_700))
            #expect(cluster.object("jobs", "done") != nil && cluster.object("secrets", "lost") != nil)
            try await runner.tidy(now: Timestamp(secondsSince1970: 1_767_225_600 + 86_400 * 30))
            #expect(Set(cluster.objects("jobs").map { Job(json: $0).name }) == ["going", "of-a-slot"])
            let kept = try #require(cronJob.annotations["the0.dev/secret"])
            #expect(Set(cluster.objects("secrets").map { Secret(json: $0).name }) == ["needed", kept])
            let needed = Secret(json: try #require(cluster.object("secrets", "needed")))
            #expect(needed.owners.map(\.name) == ["going"])
        }
    }
}
