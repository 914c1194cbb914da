import Foundation
import Model
import TestSupport
import Testing

/// The real `bot-scheduler` with MongoDB, NATS, an object store and containers.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(10)))
    func everySlotOfASecondlyScheduleRunsOnceAndLeavesItsResult() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job()))
            let id = "secondly"
            let execution: JSONValue = ["overlap": "allow", "missed": "all", "timeout": "2m"]
            try await platform.put(
                schedules: BotEntry(id, code: code, config: ["schedule": "* * * * * *", "execution": execution])
            )
            let scheduler = try stage.scheduler()
            try await scheduler.waitUntilReady()
            try await slowly(within: .seconds(120), "five runs succeed") {
                try await stage.runs(id).count { $0.outcome == "succeeded" } >= 5 ? true : nil
            }
            try await platform.set(schedule: id, ["enabled": false])
            let runs = try await slowly(within: .seconds(120), "all runs have ended") { () -> [RunEntry]? in
                let first = try await stage.runs(id)
                guard first.allSatisfy({ $0.phase == "ended" && $0.result != nil }) else { return nil }
                // Switched off a while ago: none comes any more.
                try await Task.sleep(for: .seconds(3))
                let second = try await stage.runs(id)
                return first == second ? second : nil
            }
            // In the order of their slots without a hole. What the last second brought may have been switched off.
            let slots = runs.map(\.slot)
            #expect(slots == Array((slots.min() ?? 0)...(slots.max() ?? 0)).reversed())
            #expect(runs.allSatisfy { $0.outcome == "succeeded" || $0.reason.contains("switched off") }, "\(runs)")
            let succeeded = runs.count { $0.outcome == "succeeded" }
            #expect(stage.happenings("start", of: id).count == succeeded)
            let result = try #require(try await platform.result(of: id))
            #expect(result["id"] == .string(id))
            try await stage.absence(of: id)
            try await slowly("the output is stored") {
                let lines = try await platform.storedLines(of: id)
                return lines.count { $0["message"] == "end" } == succeeded ? true : nil
            }
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aRunThatIsAskedForEndsAsItsProgramDid() async throws {
        try await Stage.withPlatform { stage, platform in
            let good = try await platform.upload(.file("main.py", Program.job()))
            let bad = try await platform.upload(.file("main.py", Program.job(exiting: 3)))
            // Switched off: what somebody asks for runs all the same.
            try await platform.put(
                schedules: BotEntry("good", code: good, config: ["schedule": "@yearly", "enabled": false]),
                BotEntry("bad", code: bad, config: ["schedule": "@yearly"])
            )
            // What is asked for doesn't wait for the next check.
            let scheduler = try stage.scheduler("--check-interval", "1h")
            try await scheduler.waitUntilReady()
            let nobody = try await stage.command("schedules", "run", "nobody")
            #expect(nobody.termination == .exited(69) && nobody.errorText.contains("no schedule \"nobody\""))

            let first = try await stage.command("schedules", "run", "good", "--wait")
            #expect(first.termination == .exited(0), "\(first.errorText)")
            #expect(first.text.hasPrefix("good manual-"))
            let second = try await stage.command("schedules", "run", "bad", "--wait")
            #expect(second.termination == .exited(3) && second.errorText.contains("failed"), "\(second.errorText)")

            let runs = try await slowly("their ends are settled") { () -> [RunEntry]? in
                let runs = try await stage.runs()
                return runs.allSatisfy { $0.result == "stored" } ? runs : nil
            }
            #expect(runs.map(\.schedule) == ["bad", "good"] && runs.allSatisfy(\.isManual))
            #expect(runs.map(\.exitCode) == [3, 0])
            #expect(try await stage.command("runs", "bad").text.contains("failed"))
            let listed = try await stage.command("schedules").text
            #expect(listed.contains("@yearly") && listed.contains("failed") && listed.contains("off"), "\(listed)")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aSchedulerIsNotReadyWhileResultsHaveNoPlace() async throws {
        try await Stage.withPlatform { stage, _ in
            let scheduler = try stage.scheduler(environment: ["MINIO_BACKTESTS_BUCKET": "nowhere"])
            try await slowly("it says so") {
                let answer = try await scheduler.get("/readyz")
                let hasTold =
                    answer.contains(#""results":{"ok":false"#) && answer.contains(#""object store":{"ok":true"#)
                return hasTold && answer.contains(#""ready":false"#) ? true : nil
            }
            let runner = try stage.runner(environment: ["MINIO_BACKTESTS_BUCKET": "nowhere"])
            try await runner.waitUntilReady()
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aStoppedSchedulersRunGoesOnAndTheNextOneRecordsItsEnd() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job(seconds: 12)))
            try await platform.put(schedules: BotEntry("long", code: code, config: ["schedule": "@yearly"]))
            let first = try stage.scheduler("--check-interval", "1s")
            #expect(try await stage.command("schedules", "run", "long").isSuccess)
            let container = try await stage.container(of: "long")
            #expect(await first.terminate(within: .seconds(15)) == .exited(0))
            #expect(try await stage.container(of: "long").id == container.id)

            let second = try stage.scheduler("--check-interval", "1s")
            let run = try await slowly("the run's end is recorded") { () -> RunEntry? in
                try await stage.runs("long").first { $0.phase == "ended" && $0.result != nil }
            }
            #expect(run.outcome == "succeeded" && run.exitCode == 0 && run.result == "stored")
            #expect(try await platform.result(of: "long")?["id"] == "long")
            #expect(stage.happenings("start", of: "long").count == 1)
            #expect(await second.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func runsAreStoppedWithTheirSchedulerWhereItIsTold() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job(seconds: 600)))
            try await platform.put(schedules: BotEntry("long", code: code, config: ["schedule": "@yearly"]))
            let first = try stage.scheduler("--check-interval", "1s", "--stop-runs-on-exit")
            #expect(try await stage.command("schedules", "run", "long").isSuccess)
            try await stage.container(of: "long")
            #expect(await first.terminate(within: .seconds(40)) == .exited(0))
            #expect(try await stage.containers(of: "long").allSatisfy { !$0.isRunning })
            let second = try stage.scheduler()
            let run = try await slowly("the run's end is recorded") { () -> RunEntry? in
                try await stage.runs("long").first { $0.phase == "ended" }
            }
            #expect(run.outcome == "stopped")
            #expect(await second.terminate(within: .seconds(15)) == .exited(0))
        }
    }
}
