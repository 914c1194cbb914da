import Foundation
import Model
import TestSupport
import Testing

/// Downtime, changes of clock and several installations, against the real scheduler, database and engine.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f61AScheduleIsAliveAfterAWeekOfDowntime() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job()))
            // Three hundred thousand slots were missed.
            let config: JSONObject = ["schedule": "*/2 * * * * *", "execution": ["overlap": "allow"]]
            try await platform.put(
                schedules: BotEntry("down", code: code, config: config).due(at: (Instants.now - 604_800) / 2 * 2)
            )
            let scheduler = try stage.scheduler()
            let began = Instants.now
            try await slowly("slots that come now run") {
                try await stage.runs("down").count { $0.outcome == "succeeded" && $0.slot > began } >= 2 ? true : nil
            }
            try await platform.set(schedule: "down", ["enabled": false])
            let missed = try await stage.runs("down").filter { $0.outcome == "skipped" && $0.slot <= began }
            // Each of the last ones has a record, and one stands for all before.
            let reasons = missed.map(\.reason)
            #expect(reasons.contains { $0.contains("so were all since") }, "\(missed)")
            #expect(reasons.allSatisfy { $0.hasPrefix("missed") }, "\(missed)")
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    /// The clock isn't set; instead there are time zones whose clocks change in a moment.
    @Test(.timeLimit(.minutes(5)))
    func f61OnADayOfChangeEverySlotRunsOnceWhicheverWayTheClockGoes() async throws {
        try await Stage.withPlatform { stage, platform in
            let change = Instants.now + 10
            let zones = stage.folder.file("zones")
            try await ChangingZone(name: "Spring", shows: 2 * 3600, then: 3 * 3600, at: change).write(to: zones, stage)
            try await ChangingZone(name: "Autumn", shows: 3 * 3600, then: 2 * 3600, at: change).write(to: zones, stage)
            try await ChangingZone(name: "HalfAnHour", shows: 7200, then: 5400, at: change).write(to: zones, stage)
            let code = try await platform.upload(.file("main.py", Program.job()))
            func entry(_ id: String, _ zone: String, _ expression: String, due: Int64) -> BotEntry {
                let execution: JSONValue = ["timezone": .string(zone), "overlap": "allow"]
                return BotEntry(id, code: code, config: ["schedule": .string(expression), "execution": execution])
                    .due(at: due)
            }
            // What each runs, and where its cursor is then.
            let day: Int64 = 86_400
            let expected: [String: (slots: [Int64], next: Int64)] = [
                // Left out: as soon as it is passed, once.
                "left-out": ([change], change + day - 1800),
                // Shown twice: the first time only. Of one the second is now, of the other in half an hour.
                "twice-now": ([change - 3600], change + day),
                "twice-soon": ([change - 1800], change + 1800 + day),
                "half-an-hour": ([change - 1800], change + day),
                // Every real hour.
                "hourly": ([change - 3600, change], change + 3600),
            ]
            try await platform.put(
                schedules: entry("left-out", "Spring", "30 2 * * *", due: change),
                entry("twice-now", "Autumn", "0 2 * * *", due: change - 3600),
                entry("twice-soon", "Autumn", "30 2 * * *", due: change - 1800),
                entry("half-an-hour", "HalfAnHour", "30 1 * * *", due: change - 1800),
                entry("hourly", "Autumn", "0 * * * *", due: change - 3600),
                // The first slot from now on: a later one would be beyond the next for a scheduler that begins at once.
                entry("through", "Spring", "*/3 * * * * *", due: change - 9)
            )
            let scheduler = try stage.scheduler("--check-interval", "1s", environment: ["TZDIR": zones])
            for (id, expected) in expected {
                try await slowly("the cursor of \(id) is beyond the change") {
                    try await platform.cursor(of: id) == expected.next ? true : nil
                }
            }
            try await slowly("what runs every three seconds is beyond the change") {
                try await stage.runs("through").contains { $0.outcome == "succeeded" && $0.slot >= change + 3 }
                    ? true : nil
            }
            try await platform.set(schedule: "through", ["enabled": false])
            let runs = try await slowly("all have ended") { () -> [RunEntry]? in
                let runs = try await stage.runs()
                return runs.allSatisfy { $0.result != nil } ? runs : nil
            }
            for (id, expected) in expected {
                let own = runs.filter { $0.schedule == id }
                #expect(own.map(\.slot).sorted() == expected.slots, "\(id): \(own)")
                // Before the last one another may have been missed, where the scheduler came late.
                #expect(own.first?.outcome == "succeeded", "\(id): \(own)")
                #expect(stage.happenings("start", of: id).count == own.count { $0.outcome == "succeeded" })
            }
            let through = runs.filter { $0.schedule == "through" }.map(\.slot).sorted()
            let whole = stride(from: change - 9, through: through.last ?? change, by: 3).map { $0 }
            #expect(through == whole)
            #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f59SeveralSchedulersRunASlotOnceAndInstallationsOnOneEngineRunNothingOfEachOther() async throws {
        // Two installations with schedules of the same ids, one of them with three schedulers.
        try await Stage.with { ours in
            try await Stage.with { theirs in
                let (one, other) = (
                    Installation(stage: ours, ids: ["same", "only-ours"]),
                    Installation(stage: theirs, ids: ["same", "only-theirs"])
                )
                try one.fill()
                try other.fill()
                var schedulers = [try other.scheduler()]
                for _ in 0..<3 { schedulers.append(try one.scheduler()) }
                for installation in [one, other] { try await installation.waitForThreeOfEach() }
                for installation in [one, other] { try installation.switchOff() }
                for installation in [one, other] { try await installation.check() }
                for scheduler in schedulers {
                    let end = await scheduler.terminate(within: .seconds(15))
                    #expect(end == .exited(0))
                }
            }
        }
    }
}

/// A directory of schedules, on an instance of its own.
private struct Installation {
    let stage: Stage
    let ids: Set<String>

    private var bots: BotFolder { BotFolder(folder: stage.folder, name: "bots") }

    func fill() throws {
        for id in ids {
            try bots.program(id, Program.job(), type: "scheduled")
            try bots.config(id, ["schedule": "*/3 * * * * *", "execution": ["overlap": "allow"]])
        }
    }

    func switchOff() throws {
        for id in ids { try bots.config(id, ["schedule": "*/3 * * * * *", "enabled": false]) }
    }

    func scheduler() throws -> RunnerProcess {
        try stage.scheduler("--store", bots.path, "--check-interval", "1s")
    }

    private func runs() async throws -> [RunEntry] { try await stage.runs("--store", bots.path) }

    func waitForThreeOfEach() async throws {
        try await slowly(within: .seconds(120), "three slots of each have run") {
            let succeeded = try await runs().filter { $0.outcome == "succeeded" }.map(\.schedule)
            return ids.allSatisfy { id in succeeded.count { $0 == id } >= 3 } ? true : nil
        }
    }

    /// Checks, once all have ended, that every slot ran in one container, and nothing of another installation.
    func check() async throws {
        let ended = try await slowly(within: .seconds(120), "all have ended") { () -> [RunEntry]? in
            let first = try await runs()
            guard first.allSatisfy({ $0.result != nil }) else { return nil }
            try await Task.sleep(for: .seconds(2))
            let second = try await runs()
            return first == second ? first : nil
        }
        let known = Set(ended.map(\.schedule))
        #expect(known == ids)
        let starts = stage.happenings("start")
        #expect(Set(starts.compactMap { $0.attributes["runtime.id"] }) == ids)
        for id in ids {
            let started = starts.filter { $0.attributes["runtime.id"] == id }.compactMap {
                $0.attributes["runtime.slot"]
            }
            let ran = ended.filter { $0.schedule == id && $0.outcome == "succeeded" }.map { "\($0.slot)" }
            #expect(started.sorted() == ran.sorted(), "\(id)")
        }
    }
}

/// A time zone whose clocks are set at an instant.
private struct ChangingZone {
    let name: String
    /// What they show just before, and from then on, in seconds since midnight.
    let shows: Int64
    let then: Int64
    /// In seconds since 1970.
    let at: Int64

    /// Compiles it into a folder, as the time-zone database is.
    func write(to folder: String, _ stage: Stage) async throws {
        // Within twelve hours of UTC.
        let difference = (shows - at % 86_400 + 129_600) % 86_400 - 43_200
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second],
            from: Date(timeIntervalSince1970: TimeInterval(at))
        )
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(parts.month ?? 1) - 1]
        let clock = [parts.hour, parts.minute, parts.second].map { "\($0 ?? 0)" }.joined(separator: ":")
        let time = "\(parts.year ?? 0) \(month) \(parts.day ?? 1) \(clock)u"
        try stage.folder.write(
            "\(name).zone",
            """
            Zone \(name) \(Self.offset(difference)) - AAA \(time)
             \(Self.offset(difference + then - shows)) - BBB

            """
        )
        try await requireCommand(["/usr/sbin/zic", "-b", "fat", "-d", folder, stage.folder.file("\(name).zone")])
    }

    private static func offset(_ seconds: Int64) -> String {
        let (sign, size) = (seconds < 0 ? "-" : "", abs(seconds))
        return "\(sign)\(size / 3600):\(size / 60 % 60):\(size % 60)"
    }
}
