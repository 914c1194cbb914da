import Control
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

/// CronJobs that really fire, and slots that really run as Jobs.
@Suite(.serialized) struct SchedulesIntegrationTests {
    @Test func aCronJobFiresIsChangedInPlaceAndLeavesWhatItHasBegun() async throws {
        try await ScheduleFixture.running { fixture in
            fixture.put(
                ScheduleFixture.schedule(
                    "every-minute",
                    "* * * * *",
                    program: "echo [1,2] >result.json; echo $BOT_TYPE"
                )
            )
            let made = try await eventuallyValue(within: .seconds(20), "the CronJob") {
                try await fixture.cronJob("every-minute")
            }
            #expect(made.json["apiVersion"] == "batch/v1beta1" && made.concurrency == .forbid)
            try await eventually(within: .seconds(100), "the first run in the books") {
                fixture.ended("every-minute").first?.result == .stored
            }
            let run = try #require(fixture.ended("every-minute").first)
            #expect(run.outcome == .succeeded && run.exitCode == 0 && run.slot.time % 60 == 0)
            #expect(fixture.results.of("every-minute").first == "[1,2]\n")
            // Exactly one Job, named as we would name it.
            let names = fixture.cronJobs.cluster.names("every-minute")
            #expect(try await fixture.jobs().map(\.name).contains(names.job(run.slot)))
            // A long run goes on while its schedule is changed, and while that is switched off.
            fixture.change("every-minute") { $0.bot.config["program"] = "sleep 25; exit 7" }
            try await eventually(within: .seconds(20), "the change") {
                try await fixture.cronJob("every-minute")?.annotations["the0.dev/spec-hash"]
                    != made.annotations["the0.dev/spec-hash"]
            }
            #expect(try await fixture.cronJob("every-minute")?.uid == made.uid)
            let going = try await eventuallyValue(within: .seconds(100), "the long run") {
                try await fixture.jobs().first { !$0.isFinished && $0.active == 1 }
            }
            fixture.change("every-minute") { $0.schedule = "*/2 * * * *" }
            try await eventually(within: .seconds(20), "the second change") {
                try await fixture.cronJob("every-minute")?.schedule == "*/2 * * * *"
            }
            #expect(try await fixture.cronJob("every-minute")?.uid == made.uid)
            fixture.change("every-minute") { $0.bot.isEnabled = false }
            try await eventually(within: .seconds(40), "its removal") {
                try await fixture.cronJob("every-minute") == nil
            }
            try await eventually(within: .seconds(60), "its end in the books") {
                fixture.ended("every-minute").contains { $0.exitCode == 7 && $0.outcome == .failed }
            }
            let left = try #require(try await fixture.jobs().first { $0.uid == going.uid })
            // F51: it failed, and wasn't tried again.
            #expect(left.failed == 1 && left.owners.isEmpty)
        }
    }

    @Test func f50SlotsEveryTenSecondsRunEveryTenSeconds() async throws {
        try await ScheduleFixture.running { fixture in
            fixture.put(
                ScheduleFixture.schedule("often", "*/10 * * * * *", program: "echo {} >result.json; exit 0")
            )
            try await eventually(within: .seconds(90), "four runs") {
                fixture.ended("often").count { $0.outcome == .succeeded } >= 4
            }
            let runs = fixture.ended("often").filter { $0.outcome == .succeeded }
            #expect(runs.allSatisfy { $0.slot.time % 10 == 0 && $0.result == .stored })
            #expect(Set(runs.map(\.slot)).count == runs.count)
            #expect(try await fixture.cronJob("often") == nil)
            // What ended was removed, its Secret too.
            fixture.change("often") { $0.bot.isEnabled = false }
            try await eventually(within: .seconds(60), "nothing left") {
                let secrets = try await fixture.cronJobs.cluster.secrets.list().items
                return try await fixture.jobs().isEmpty
                    && !secrets.contains { $0.labels["the0.dev/managed-by"] == "the0-schedule-controller" }
            }
        }
    }

    @Test func aSlotThatTakesTooLongIsStopped() async throws {
        try await ScheduleFixture.running { fixture in
            let program = "trap 'echo 1 >result.json; exit 42' TERM; while :; do sleep 1; done"
            fixture.put(
                ScheduleFixture.schedule("slow", "7 0 1 1 *", program: program, ["timeout": "5s", "jitter": "1s"])
            )
            let schedule = ScheduleFixture.schedule("slow", "7 0 1 1 *", program: program, ["timeout": "5s"])
            let policy = try ScheduleRule(schedule).policy
            // Asked for: it runs whatever its schedule's slots are.
            _ = try await fixture.runs.add([.manual("slow", policy: policy, at: .now)])
            fixture.scheduler.wakeRuns("slow")
            try await eventually(within: .seconds(90), "its end") { fixture.ended("slow").first?.result != nil }
            let run = try #require(fixture.ended("slow").first)
            #expect(run.outcome == .timedOut, "\(run)")
            // The kubelet of 1.20 never tells how a container ended that it ended at its Pod's deadline.
            #expect(run.exitCode == 42 || run.reason.hasPrefix("nothing tells how it ended"), "\(run)")
            // It really has: nothing of it runs any more.
            let ids = try await requireCommand(["docker", "ps", "--quiet", "--filter", "name=k8s_bot_schedule-slow"])
            #expect(ids.isEmpty)
        }
    }

    @Test func aTooLargeResultIsRefusedWithItsLimit() async throws {
        try await ScheduleFixture.running { fixture in
            fixture.put(
                ScheduleFixture.schedule("large", "7 0 1 1 *", program: "head -c 5000 /dev/zero >result.json")
            )
            let schedule = ScheduleFixture.schedule("large", "7 0 1 1 *", program: "")
            _ = try await fixture.runs.add([.manual("large", policy: try ScheduleRule(schedule).policy, at: .now)])
            fixture.scheduler.wakeRuns("large")
            try await eventually(within: .seconds(60), "its end") { fixture.ended("large").first?.result != nil }
            let run = try #require(fixture.ended("large").first)
            #expect(run.outcome == .succeeded && run.result == .lost)
            #expect(run.reason.contains("result.json has 5000 bytes") && run.reason.contains("at most 4096 bytes"))
        }
    }

    @Test func aScheduleThatChangesSidesNeverRunsASlotTwice() async throws {
        try await ScheduleFixture.running { fixture in
            fixture.put(ScheduleFixture.schedule("sides", "* * * * *", program: "exit 0"))
            try await eventually(within: .seconds(100), "a run of the CronJob") { !fixture.ended("sides").isEmpty }
            fixture.change("sides") { $0.bot.config["execution"] = ["missed": "all"] }
            try await eventually(within: .seconds(40), "the CronJob gone") { try await fixture.cronJob("sides") == nil }
            try await eventually(within: .seconds(100), "a run of the scheduler") {
                fixture.runs.all.contains { $0.id == "sides" && $0.platform != nil && $0.outcome == .succeeded }
            }
            fixture.change("sides") { $0.bot.config["execution"] = .object([:]) }
            try await eventually(within: .seconds(60), "the CronJob back") { try await fixture.cronJob("sides") != nil }
            let count = fixture.ended("sides").count
            try await eventually(within: .seconds(100), "a run of it") { fixture.ended("sides").count > count }
            let slots = fixture.runs.all.filter { $0.id == "sides" && $0.outcome != .skipped }.map(\.slot.time)
            #expect(Set(slots).count == slots.count)
            // Minute by minute; the ones of the changes may be missing, none is there twice.
            let starts = fixture.runs.all.filter { $0.id == "sides" }.compactMap(\.startedAt)
            #expect(starts.count == slots.count)
        }
    }

    @Test func f57ACronJobOfVersion120IsReplacedOnce() async throws {
        try await ScheduleFixture.running { fixture in
            let legacy = """
                {"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "schedule-old",
                "labels": {"the0.dev/managed-by": "the0-schedule-controller", "the0.dev/schedule-id": "old"},
                "annotations": {"the0.dev/schedule-hash": "abc"}}, "spec": {"schedule": "0 9 * * *",
                "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never",
                "containers": [{"name": "bot", "image": "busybox:1.36.1"}]}}}}}}
                """
            try await fixture.cluster.kubectl("-n", fixture.namespace, "apply", "-f", "-", input: legacy)
            let before = try #require(
                try await fixture.cronJobs.cluster.cronJobs.list().items.first { $0.name == "schedule-old" }
            )
            fixture.put(ScheduleFixture.schedule("old", "30 9 * * *", program: "exit 0"))
            try await eventually(within: .seconds(40), "the new one") {
                let all = try await fixture.cronJobs.cluster.cronJobs.list().items
                return all.count == 1 && all[0].uid != before.uid && all[0].schedule == "30 9 * * *"
            }
        }
    }
}
