import Model
import TestSupport
import Util

@testable import Control

/// One schedule, its records and a clock: plans are made and carried out against them.
struct SlotWorld {
    private(set) var schedule: BotSchedule
    private(set) var records: [RunKey: RunRecord] = [:]
    var now: Timestamp
    /// What should never have happened.
    private(set) var broken: String?
    /// How many records were ever added.
    private(set) var decisions = 0
    private(set) var isEverOff = false
    private var changes = 0

    private var random = SeededGenerator(seed: 0)

    init(_ schedule: BotSchedule, now: Timestamp) {
        (self.schedule, self.now) = (schedule, now)
    }

    static func random(seed: UInt64) throws -> SlotWorld {
        var random = SeededGenerator(seed: seed)
        let texts = [
            "* * * * *", "*/20 * * * * *", "0 * * * *", "*/15 8-17 * * 1-5", "0 9 * * 1", "30 2 * * *", "@every 90s",
            "0 0 29 2 *", "0,7,9 * * * *",
        ]
        let zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
        let overlap = ["forbid", "allow", "replace"].randomElement(using: &random) ?? "forbid"
        let missed =
            ["latest", "skip", overlap == "replace" ? "latest" : "all"].randomElement(using: &random) ?? "skip"
        var execution: JSONObject = ["overlap": .string(overlap), "missed": .string(missed)]
        if Bool.random(using: &random) { execution["timezone"] = .string(zones.randomElement(using: &random) ?? "UTC") }
        if Int.random(in: 0..<3, using: &random) == 0 { execution["deadline"] = "5m" }
        if Int.random(in: 0..<3, using: &random) == 0 { execution["jitter"] = "15s" }
        let now = Timestamp(secondsSince1970: 1_800_000_000 + Int64.random(in: 0..<20_000_000, using: &random))
        var schedule = SlotPlanTests.schedule(
            texts.randomElement(using: &random) ?? "",
            cursor: .init(),
            execution
        )
        let rule = try ScheduleRule(schedule)
        schedule.cursor = .init(rule.next(after: now.secondsSince1970) ?? 0, basis: rule.basis)
        var world = SlotWorld(schedule, now: now)
        world.random = random
        return world
    }

    // MARK: What happens to it

    mutating func disturb() throws {
        let interval = max(1, (schedule.cursor.time ?? 0) - now.secondsSince1970)
        let steps = [1, interval, interval + 7, interval * 3, interval * 40, interval * 140]
        now = now.advanced(by: .seconds(steps.randomElement(using: &random) ?? 1))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: try lookAndDieBeforeTheCursorMoves()
        case 1, 2, 3: endAll()
        case 4: start()
        case 5: addManual()
        default: break
        }
    }

    /// Everything that goes ends.
    mutating func endAll() {
        for (key, run) in records where run.phase != .ended {
            records[key] = run.next { run in
                (run.phase, run.outcome) = (.ended, .succeeded)
                run.endedAt = now
            }
        }
    }

    private mutating func start() {
        for (key, run) in records where run.phase == .claimed {
            records[key] = run.next { run in
                run.phase = .running
                run.startedAt = now
            }
        }
    }

    private mutating func addManual() {
        let slot = Slot(now.secondsSince1970, trigger: .manual)
        let run = RunRecord(id: "s", slot: slot, owner: "cli", claimedAt: now, notBefore: now, startBy: now)
        if records[run.key] == nil { records[run.key] = run }
    }

    mutating func forgetAllButTheLatest() {
        let latest = records.keys.max { $0.slot < $1.slot }
        records = records.filter { $0.key == latest }
    }

    // MARK: What is done about it

    /// Plans and carries out until nothing is to be done now; returns how many looks that took.
    @discardableResult
    mutating func settle() throws -> Int {
        for look in 1...1200 {
            let plan = try plan()
            let (before, cursor) = (changes, schedule.cursor)
            carryOut(plan)
            move(plan)
            if before == changes, schedule.cursor == cursor {
                if let wakeAt = plan.wakeAt, wakeAt <= now { broken = "looks again at once, for ever" }
                return look
            }
        }
        broken = "no end of it"
        return .max
    }

    mutating func lookAndDieBeforeTheCursorMoves() throws { carryOut(try plan()) }

    private mutating func plan() throws -> SlotPlan {
        let rule = try ScheduleRule(schedule)
        let off = !schedule.bot.isEnabled || rule.policy.isSuspended
        isEverOff = isEverOff || off
        var input = SlotInput(
            schedule,
            rule: rule,
            unfinished: records.values.filter { $0.phase != .ended },
            now: now,
            owner: "me"
        )
        if SlotPlan.needsLatestSlot(schedule, rule: rule, now: now) {
            input.latestSlot = records.keys.filter { $0.slot.trigger == .schedule }.map(\.slot.time).max()
        }
        let plan = SlotPlan(input)
        check(plan, rule)
        return plan
    }

    private mutating func check(_ plan: SlotPlan, _ rule: ScheduleRule) {
        if Set(plan.runs.map(\.key)).count != plan.runs.count { broken = "a slot twice in one plan" }
        if plan.runs.count > SlotPlan.mostSkipped + 2 { broken = "\(plan.runs.count) records in one plan" }
        if plan.runs.contains(where: { $0.slot.time > now.secondsSince1970 }) { broken = "a slot that hasn't come" }
        if plan.runs.contains(where: { !rule.isSlot($0.slot.time) }) { broken = "a record for no slot" }
        if plan.runs.contains(where: { $0.outcome == .skipped && $0.reason.isEmpty }) { broken = "no reason" }
        if plan.runs.filter({ $0.phase == .claimed }).count > 1 { broken = "two claims in one plan" }
        if let move = plan.move, let time = schedule.cursor.time, schedule.cursor.basis == rule.basis, move.to < time {
            broken = "the cursor goes back"
        }
        for stop in plan.stops where !plan.runs.contains(where: { $0.phase == .claimed && stop.slot < $0.slot }) {
            broken = "stopped for nothing"
        }
        for run in plan.runs where run.phase == .claimed {
            let jitter = run.notBefore.duration(since: Timestamp(secondsSince1970: run.slot.time))
            if jitter < .zero || jitter > rule.policy.jitter { broken = "jitter of \(jitter)" }
            if run.startBy < run.notBefore || run.startBy < now { broken = "claimed too late to be started" }
            let others = records.values.filter { $0.phase != .ended && $0.slot != run.slot }
            if rule.policy.overlap == .forbid, !others.isEmpty, records[run.key] == nil { broken = "two at once" }
        }
    }

    private mutating func carryOut(_ plan: SlotPlan) {
        for run in plan.runs where records[run.key] == nil {
            records[run.key] = run
            decisions += 1
            changes += 1
        }
        for stop in plan.stops where records[stop.key]?.revision == stop.revision - 1 {
            records[stop.key] = stop
            changes += 1
        }
    }

    private mutating func move(_ plan: SlotPlan) {
        if let move = plan.move { schedule.cursor = .init(move.to, basis: move.basis) }
    }

    // MARK: What is in the books

    /// The slots that have no record and aren't covered by one that stands for several.
    func unaccounted(from first: Int64, to last: Int64) -> [Int64] { unaccounted(from: first, before: last + 1) }

    func unaccounted(from first: Int64, before end: Int64) -> [Int64] {
        guard let rule = try? ScheduleRule(schedule) else { return [first] }
        let taken = Set(records.keys.filter { $0.slot.trigger == .schedule }.map(\.slot.time))
        let spans = records.values.compactMap { run in run.covered.map { $0...run.slot.time } }
        var lost: [Int64] = []
        var slot: Int64? = first
        while let time = slot, time < end {
            if !taken.contains(time), !spans.contains(where: { $0.contains(time) }) { lost.append(time) }
            slot = rule.next(after: time)
        }
        return lost
    }
}

extension RunRecord {
    /// The first of the slots that this record tells of, if it tells of more than its own.
    fileprivate var covered: Int64? {
        guard outcome == .skipped, let range = reason.firstRange(of: " since ") else { return nil }
        return (try? RFC3339.parse(String(reason[range.upperBound...].prefix(20))))?.secondsSince1970
    }
}
