import Foundation
import Model
import TestSupport
import Testing

/// What goes wrong with schedules elsewhere, against the real scheduler, database and engine.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f30WhatWasMissedForAWeekRunsOnceWithinItsDeadlineElseNot() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job()))
            // Daily, and due seven times: last 18 hours ago, beyond half a day, and 6 hours ago, within it.
            let (late, recent) = (Instants.minute(hoursAgo: 18), Instants.minute(hoursAgo: 6))
            let week: Int64 = 6 * 86_400
            func daily(_ id: String, _ slot: Int64, enabled: Bool = true) -> BotEntry {
                BotEntry(id, code: code, config: ["schedule": .string(Instants.daily(slot))], enabled: enabled)
                    .due(at: slot - week)
            }
            try await platform.put(
                schedules: daily("late", late),
                daily("recent", recent),
                daily("off", recent, enabled: false)
            )
            let scheduler = try stage.scheduler("--check-interval", "1s")
            let runs = try await slowly("the latest slot has run") { () -> [RunEntry]? in
                let runs = try await stage.runs("recent")
                return runs.contains { $0.outcome == "succeeded" } ? runs : nil
            }
            let week7 = (0...6).map { Int64($0) * -86_400 }
            #expect(runs.map(\.slot) == week7.map { recent + $0 })
            #expect(runs.map(\.outcome) == ["succeeded"] + Array(repeating: "skipped", count: 6))
            #expect(runs.dropFirst().allSatisfy { $0.reason.hasPrefix("missed") }, "\(runs)")
            let skipped = try await slowly("all that came too late is recorded") { () -> [RunEntry]? in
                let runs = try await stage.runs("late")
                return runs.count == 7 ? runs : nil
            }
            #expect(skipped.map(\.slot) == week7.map { late + $0 })
            #expect(skipped.allSatisfy { $0.outcome == "skipped" && $0.reason.hasPrefix("missed") }, "\(skipped)")

            // Switched on again after a week: what passed meanwhile isn't made up for.
            try await slowly("the cursor of what is off goes on") {
                try await platform.cursor(of: "off") == recent + 86_400 ? true : nil
            }
            try await platform.set(schedule: "off", ["enabled": true])
            // A run that is asked for then shows that it was seen.
            #expect(try await stage.command("schedules", "run", "off", "--wait").isSuccess)
            #expect(try await stage.runs("off").map(\.isManual) == [true])
            for (id, next) in [("late", late), ("recent", recent), ("off", recent)] {
                #expect(try await platform.cursor(of: id) == next + 86_400)
            }
            #expect(stage.happenings("start", of: "late").isEmpty)
            #expect(stage.happenings("start", of: "recent").count == 1)
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f31AnExpressionThatIsEditedDuringARunHoldsAfterIt() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job(seconds: 8)))
            let execution: JSONValue = ["missed": "latest", "deadline": "1m"]
            try await platform.put(
                schedules: BotEntry(
                    "edited",
                    code: code,
                    config: ["schedule": "*/2 * * * * *", "execution": execution]
                )
            )
            let scheduler = try stage.scheduler("--check-interval", "1s")
            let container = try await stage.container(of: "edited")
            let next = Instants.minute(hoursAgo: -6)
            try await platform.set(schedule: "edited", ["config.schedule": .string(Instants.daily(next))])
            #expect(try await stage.containers(of: "edited").first { $0.isRunning } == container)
            try await slowly("the cursor stands on the new expression") {
                try await platform.cursor(of: "edited") == next ? true : nil
            }
            let runs = try await slowly("the run has ended") { () -> [RunEntry]? in
                let runs = try await stage.runs("edited")
                return runs.contains { $0.outcome == "succeeded" && $0.result != nil } ? runs : nil
            }
            // The scheduler looks once more at least.
            let passes = try await scheduler.metric("schedule_pass_duration_seconds_count")
            try await slowly("another pass") {
                try await scheduler.metric("schedule_pass_duration_seconds_count") >= passes + 2 ? true : nil
            }
            #expect(try await platform.cursor(of: "edited") == next)
            #expect(try await stage.runs("edited") == runs)
            #expect(stage.happenings("start", of: "edited").count == 1)
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f32ARunThatHangsIsKilledAtItsTimeoutAndTheNextOneComes() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.stubborn))
            let config: JSONObject = ["schedule": "*/2 * * * * *", "execution": ["timeout": "2s"]]
            try await platform.put(schedules: BotEntry("hung", code: code, config: config))
            let scheduler = try stage.scheduler(environment: ["STOP_GRACE": "1s"])
            let ended = try await slowly(within: .seconds(120), "two runs have timed out") { () -> [RunEntry]? in
                let runs = try await stage.runs("hung").filter { $0.outcome == "timed-out" && $0.result != nil }
                return runs.count >= 2 ? runs : nil
            }
            try await platform.set(schedule: "hung", ["enabled": false])
            #expect(Set(ended.map(\.slot)).count == ended.count)
            // Killed, for it heeds nothing else, and one at a time.
            #expect(ended.allSatisfy { $0.exitCode == 137 }, "\(ended)")
            try await stage.absence(of: "hung")
            let events = (stage.happenings("start", of: "hung") + stage.happenings("die", of: "hung")).sorted {
                $0.time < $1.time
            }
            #expect(events.enumerated().allSatisfy { $1.action == ($0.isMultiple(of: 2) ? "start" : "die") })
            let skipped = try await stage.runs("hung").filter { $0.outcome == "skipped" }
            #expect(skipped.allSatisfy { $0.reason.contains("still going") || $0.reason.hasPrefix("missed") })
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f33ManyThatAreDueAtOnceStartAFewAtATimeTheEarliestSlotsFirst() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job()))
            let count = 16
            let base = Instants.now - 600
            // Slots a second apart, all of them past.
            let entries = (0..<Int64(count)).reversed().map { index in
                let config: JSONObject = ["schedule": .string(Instants.daily(base + index, seconds: true))]
                return BotEntry("due-\(index)", code: code, config: config).due(at: base + index)
            }
            try await platform.put(schedules: entries)
            let scheduler = try stage.scheduler("--parallel-starts", "2")
            let runs = try await slowly(within: .seconds(120), "all have run") { () -> [RunEntry]? in
                let runs = try await stage.runs()
                return runs.count { $0.outcome == "succeeded" } == count ? runs : nil
            }
            #expect(runs.count == count)
            let (creates, starts) = (stage.happenings("create"), stage.happenings("start"))
            #expect(starts.count == count && Set(starts.map(\.subject)).count == count)
            // A start is under way from the making of its container until its program runs.
            let begun = Dictionary(creates.map { ($0.subject, $0.time) }) { first, _ in first }
            for start in starts {
                let underWay = starts.count { other in
                    (begun[other.subject] ?? 0) <= start.time && start.time <= other.time
                }
                #expect(underWay <= 2, "\(underWay) starts at once")
            }
            // The first two are those that came first; the others waited, the earliest slot before the others.
            let slots = creates.compactMap { $0.attributes["runtime.slot"].flatMap { Int64($0) } }
            #expect(slots.count == count)
            #expect(slots.prefix(count / 2).reduce(0, +) < slots.suffix(count / 2).reduce(0, +), "\(slots)")
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f64ExpressionsThatBreakOrHangOthersAreNamedAndHoldUpNothing() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job()))
            let texts = [
                "TZ=UTC", "TZ=UTC ", "CRON_TZ=", "TZ=../../etc/passwd * * * * *", "0 0 30 2 *", "0 0 31 2,4,6 *", "",
                String(repeating: "*/1,", count: 20_000), "@every -1s", "* * * * * * *", "\u{0}* * * * *",
            ]
            let bad = texts.enumerated().map { index, text in
                BotEntry("bad-\(index)", code: code, config: ["schedule": .string(text)])
            }
            try await platform.put(schedules: bad)
            try await platform.put(
                schedules: BotEntry("rare", code: code, config: ["schedule": "0 0 29 2 *"]),
                BotEntry("good", code: code, config: ["schedule": "*/2 * * * * *"])
            )
            let scheduler = try stage.scheduler()
            try await slowly("the good one runs") {
                try await stage.runs("good").contains { $0.outcome == "succeeded" } ? true : nil
            }
            try await platform.set(schedule: "good", ["enabled": false])
            let shown = try JSONValue.parse(try await stage.command("schedules", "--output", "json").text)
            let rows = (shown.object?["schedules"]?.array ?? []).compactMap(\.object)
            #expect(rows.count == texts.count + 2)
            for row in rows {
                let isBad = row["id"]?.string?.hasPrefix("bad") == true
                #expect((row["problem"] != nil) == isBad && (row["next"] != nil) == (row["id"] == "rare"), "\(row)")
            }
            let named = scheduler.entries.filter { $0.message == "schedule can't be used, none of its slots runs" }
            #expect(Set(named.compactMap { $0.metadata["schedule"] }).count == texts.count)
            #expect(try await platform.cursor(of: "bad-0") == nil)
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }
}

/// Times of the clock on the wall, and the expressions that name them.
enum Instants {
    /// In seconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    /// The whole minute some hours ago.
    static func minute(hoursAgo hours: Int64) -> Int64 { (now / 60 - hours * 60) * 60 }

    /// The expression of every day, in UTC, at the time of an instant.
    static func daily(_ instant: Int64, seconds: Bool = false) -> String {
        let second = instant % 86_400
        let start = seconds ? "\(second % 60) " : ""
        return "\(start)\(second / 60 % 60) \(second / 3600) * * *"
    }
}
