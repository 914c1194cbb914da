import Model
import TestSupport
import Testing
import Util

@testable import Control

/// What a cursor and the time come down to.
@Suite struct SlotPlanTests {
    /// 2027-01-15T08:00:00Z.
    static let eight: Int64 = 1_800_000_000
    static let hour: Int64 = 3600

    /// The basis of `@hourly`.
    static let hourly = "0 * * * *"

    static func schedule(
        _ text: String = hourly,
        cursor: ScheduleCursor,
        isEnabled: Bool = true,
        _ execution: JSONObject = [:]
    ) -> BotSchedule {
        BotSchedule(
            bot: bot("s", enabled: isEnabled, config: ["execution": .object(execution)]),
            schedule: text,
            cursor: cursor
        )
    }

    static func time(_ seconds: Int64) -> Timestamp { Timestamp(secondsSince1970: seconds) }

    static func plan(
        _ schedule: BotSchedule,
        unfinished: [RunRecord] = [],
        latestSlot: Int64? = nil,
        now: Int64
    ) throws -> SlotPlan {
        SlotPlan(
            SlotInput(
                schedule,
                rule: try ScheduleRule(schedule),
                unfinished: unfinished,
                latestSlot: latestSlot,
                now: time(now),
                owner: "me"
            )
        )
    }

    /// A run that goes since a time.
    static func going(_ slot: Slot, since: Int64, _ phase: RunRecord.Phase = .running) -> RunRecord {
        var run = RunRecord(
            id: "s",
            slot: slot,
            owner: "other",
            claimedAt: time(since),
            notBefore: time(since),
            startBy: time(since + 60)
        )
        run.phase = phase
        if phase == .running { run.startedAt = time(since) }
        return run
    }

    // MARK: A cursor that is in order

    @Test func beforeItsSlotNothingIsDone() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly))
        let plan = try Self.plan(schedule, now: Self.eight - 1)
        #expect(plan.runs.isEmpty && plan.stops.isEmpty && plan.move == nil && plan.correction == nil)
        #expect(plan.wakeAt == Self.time(Self.eight))
    }

    @Test func onItsSlotItIsClaimedAndTheCursorGoesOn() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly))
        let plan = try Self.plan(schedule, now: Self.eight)
        let run = try #require(plan.runs.first)
        #expect(plan.runs.count == 1)
        #expect(run.slot == Slot(Self.eight))
        #expect(run.phase == .claimed)
        #expect(run.owner == "me")
        #expect(run.revision == 1)
        #expect(run.notBefore == Self.time(Self.eight))
        #expect(run.startBy == Self.time(Self.eight + 1800))
        #expect(run.timeout == 3600)
        #expect(run.retries == 0)
        #expect(run.isExclusive)
        #expect(plan.move == CursorMove(of: schedule, to: Self.eight + Self.hour, basis: Self.hourly))
        #expect(plan.wakeAt == Self.time(Self.eight + Self.hour))
    }

    @Test func aClaimCarriesItsPolicy() throws {
        let schedule = Self.schedule(
            cursor: .init(Self.eight, basis: Self.hourly),
            ["overlap": "allow", "timeout": "90500ms", "retries": 2, "deadline": "10m", "jitter": "5m"]
        )
        let run = try #require(try Self.plan(schedule, now: Self.eight).runs.first)
        #expect(run.timeout == 91)
        #expect(run.retries == 2)
        #expect(!run.isExclusive)
        #expect(run.notBefore > Self.time(Self.eight) && run.notBefore <= Self.time(Self.eight + 300))
        #expect(run.startBy == run.notBefore.advanced(by: .seconds(600)))
        #expect(try Self.plan(schedule, now: Self.eight).runs.first?.notBefore == run.notBefore)
        let endless = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), ["timeout": "0"])
        #expect(try Self.plan(endless, now: Self.eight).runs.first?.timeout == 0)
    }

    // MARK: A cursor that isn't

    struct Cursor: Sendable, CustomTestStringConvertible {
        let value: JSONValue?
        var basis: String? = SlotPlanTests.hourly
        let reason: String
        var testDescription: String { "\(String(describing: value)): \(reason)" }
    }

    @Test(arguments: [
        Cursor(value: nil, reason: "there was none"), Cursor(value: nil, basis: nil, reason: "there was none"),
        Cursor(value: .null, reason: "it was null"), Cursor(value: "1800000000", reason: "it was a string"),
        Cursor(value: "", reason: "it was a string"), Cursor(value: true, reason: "it was a boolean"),
        Cursor(value: .array([1]), reason: "it was an array"), Cursor(value: .object([:]), reason: "it was an object"),
        Cursor(value: 0, reason: "it was no second after 1970"),
        Cursor(value: -1, reason: "it was no second after 1970"),
        Cursor(value: .integer(.min), reason: "it was no second after 1970"),
        Cursor(value: .double(1_800_000_000.5), reason: "it was no second after 1970"),
        Cursor(value: .double(1e300), reason: "it was no second after 1970"),
        Cursor(value: .double(.nan), reason: "it was no second after 1970"),
        Cursor(value: .double(-.infinity), reason: "it was no second after 1970"),
        Cursor(value: .integer(eight + 1), reason: "it was on no slot"),
        Cursor(value: .integer(eight - 1), reason: "it was on no slot"), Cursor(value: 1, reason: "it was on no slot"),
        Cursor(value: .integer(.max), reason: "it was on no slot"),
        Cursor(value: .integer(9_223_372_036), reason: "it was on no slot"),
        Cursor(value: .integer(9_223_372_037), reason: "it was on no slot"),
        Cursor(value: .integer(eight + 2 * hour), reason: "it was beyond the next slot"),
        Cursor(value: .integer(eight + 100_000 * hour), reason: "it was beyond the next slot"),
        Cursor(value: .integer(eight), basis: "30 * * * *", reason: "the expression has changed"),
        Cursor(value: .integer(eight - hour), basis: "TZ=Asia/Tokyo 0 * * * *", reason: "the expression has changed"),
        Cursor(value: .integer(eight), basis: "", reason: "the expression has changed"),
    ])
    func aBrokenCursorIsSetToTheNextSlotAndClaimsNothing(cursor: Cursor) throws {
        let schedule = Self.schedule(cursor: .init(value: cursor.value, basis: cursor.basis))
        let now = Self.eight + 10
        let plan = try Self.plan(schedule, now: now)
        #expect(plan.correction == cursor.reason)
        #expect(plan.runs.isEmpty && plan.stops.isEmpty)
        let next = Self.eight + Self.hour
        #expect(plan.move?.to == next && plan.move?.basis == Self.hourly && plan.move?.schedule == Self.hourly)
        #expect(plan.wakeAt == Self.time(next))
        #expect(SlotPlan.needsLatestSlot(schedule, rule: try ScheduleRule(schedule), now: Self.time(now)))
        #expect(try Self.isQuiet(schedule, plan, now: now))
    }

    @Test func aCursorThatIsAWholeDoubleIsInOrder() throws {
        let schedule = Self.schedule(cursor: .init(value: .double(1_800_000_000), basis: Self.hourly))
        let plan = try Self.plan(schedule, now: Self.eight)
        #expect(plan.correction == nil)
        #expect(plan.runs.map(\.slot) == [Slot(Self.eight)])
    }

    @Test func aCursorOfVersion1_2_0IsTakenAsItStands() throws {
        let ahead = Self.schedule(cursor: .init(Self.eight + Self.hour))
        let before = try Self.plan(ahead, now: Self.eight + 1)
        #expect(before == SlotPlan(wakeAt: Self.time(Self.eight + Self.hour)))
        let due = Self.schedule(cursor: .init(Self.eight))
        let plan = try Self.plan(due, now: Self.eight + 1)
        #expect(plan.correction == nil)
        #expect(plan.runs.map(\.slot) == [Slot(Self.eight)])
        #expect(plan.move?.basis == Self.hourly, "from here on it is ours")
    }

    @Test func f31AnEditedExpressionNeverRunsASlotOfTheOldOne() throws {
        // The cursor is the old expression's, and due; the new one has no slot there before noon.
        let schedule = Self.schedule("0 12 * * *", cursor: .init(Self.eight, basis: Self.hourly))
        let plan = try Self.plan(schedule, now: Self.eight + 5)
        #expect(plan.runs.isEmpty)
        #expect(plan.move?.to == Self.eight + 4 * Self.hour)
        #expect(plan.move?.schedule == "0 12 * * *")
        #expect(plan.move?.from == schedule.cursor)
    }

    @Test func aCursorInTheFarPastIsCaughtUpWithAsThePolicySays() throws {
        for (missed, most) in [("latest", 102), ("skip", 102), ("all", 2)] {
            let schedule = Self.schedule(cursor: .init(Self.hour, basis: Self.hourly), ["missed": .string(missed)])
            let plan = try Self.plan(schedule, now: Self.eight + 1)
            #expect(plan.correction == nil, "\(missed)")
            #expect(plan.runs.count <= most, "\(missed)")
            #expect(plan.runs.filter { $0.phase == .claimed }.count <= 1)
        }
    }

    // MARK: Missed slots

    struct Missed: Sendable, CustomTestStringConvertible {
        let policy: String
        /// How many slots are due, the latest of them so many seconds ago.
        let count: Int64
        var ago: Int64 = 5
        let claimed: Int64
        var testDescription: String { "\(policy), \(count) slots, the latest \(ago) s ago" }
    }

    /// How a policy treats missed slots: what is claimed in the end, and that every slot is accounted for.
    @Test(arguments: [
        Missed(policy: "latest", count: 1, claimed: 1), Missed(policy: "latest", count: 3, claimed: 1),
        Missed(policy: "latest", count: 101, claimed: 1), Missed(policy: "latest", count: 102, claimed: 1),
        Missed(policy: "latest", count: 5000, claimed: 1), Missed(policy: "latest", count: 1, ago: 1800, claimed: 1),
        Missed(policy: "latest", count: 1, ago: 1801, claimed: 0),
        Missed(policy: "latest", count: 3, ago: 1801, claimed: 0),
        Missed(policy: "latest", count: 5000, ago: 3599, claimed: 0),
        Missed(policy: "skip", count: 1, ago: 10, claimed: 1),
        Missed(policy: "skip", count: 1, ago: 11, claimed: 0), Missed(policy: "skip", count: 3, ago: 0, claimed: 1),
        Missed(policy: "skip", count: 3, ago: 60, claimed: 0), Missed(policy: "skip", count: 5000, ago: 60, claimed: 0),
        Missed(policy: "all", count: 1, claimed: 1), Missed(policy: "all", count: 3, claimed: 3),
        Missed(policy: "all", count: 3, ago: 3599, claimed: 3), Missed(policy: "all", count: 1000, claimed: 1000),
        Missed(policy: "all", count: 1001, claimed: 1000), Missed(policy: "all", count: 5000, claimed: 1000),
    ])
    func f30EveryMissedSlotIsClaimedOrPassedOverWithAReason(missed: Missed) throws {
        let first = Self.eight
        let last = first + (missed.count - 1) * Self.hour
        let now = last + missed.ago
        var world = SlotWorld(
            Self.schedule(
                cursor: .init(first, basis: Self.hourly),
                ["missed": .string(missed.policy), "overlap": "allow"]
            ),
            now: Self.time(now)
        )
        let looks = try world.settle()
        #expect(looks <= missed.claimed + 2)
        #expect(world.records.count <= missed.claimed + 102)
        let claimed = world.records.values.filter { $0.phase == .claimed }
        #expect(claimed.count == missed.claimed)
        if missed.claimed == 1 { #expect(claimed.first?.slot == Slot(last)) }
        #expect(world.unaccounted(from: first, to: last).isEmpty)
        #expect(world.schedule.cursor.time == last + Self.hour)
        for run in world.records.values where run.outcome == .skipped {
            #expect(run.reason.hasPrefix("missed"))
            #expect(run.result == RunRecord.Result.none && run.endedAt != nil)
        }
    }

    @Test func anExplicitDeadlineBoundsAllToo() throws {
        let execution: JSONObject = ["missed": "all", "deadline": "90m", "overlap": "allow"]
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), execution)
        var world = SlotWorld(schedule, now: Self.time(Self.eight + 3 * Self.hour + 60))
        try world.settle()
        let claimed = world.records.values.filter { $0.phase == .claimed }.map(\.slot.time).sorted()
        #expect(claimed == [Self.eight + 2 * Self.hour, Self.eight + 3 * Self.hour])
        #expect(world.unaccounted(from: Self.eight, to: Self.eight + 3 * Self.hour).isEmpty)
    }

    @Test(arguments: [(29, 1), (30, 1), (31, 0)])
    func anExplicitDeadlineIsToTheSecond(ago: Int64, claimed: Int) throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), ["deadline": "30s"])
        let plan = try Self.plan(schedule, now: Self.eight + ago)
        #expect(plan.runs.count == 1)
        #expect(plan.runs.filter { $0.phase == .claimed }.count == claimed)
    }

    /// Its records were written, but the cursor wasn't moved before it died; and then nobody was there for long.
    @Test(arguments: ["latest", "skip", "all"], [0, 1, 40, 150, 2500] as [Int64])
    func f28NothingIsLostWhenTheCursorWasNotMovedBeforeALongAbsence(policy: String, before: Int64) throws {
        for after: Int64 in [1, 50, 99, 100, 101, 102, 103, 400, 3000] {
            let schedule = Self.schedule(
                cursor: .init(Self.eight, basis: Self.hourly),
                ["missed": .string(policy), "overlap": "allow"]
            )
            var world = SlotWorld(schedule, now: Self.time(Self.eight + before * Self.hour))
            try world.lookAndDieBeforeTheCursorMoves()
            // Another scheduler ends what was claimed, and dies as well.
            world.endAll()
            let last = Self.eight + (before + after) * Self.hour
            world.now = Self.time(last)
            try world.settle()
            let lost = world.unaccounted(from: Self.eight, to: last)
            #expect(lost.isEmpty, "\(lost.count) slots after \(after)")
        }
    }
}

extension SlotPlanTests {
    // MARK: Overlap

    @Test(arguments: [Slot(eight - hour), Slot(eight - 100, trigger: .manual)])
    func forbidPassesOverASlotThatComesWhileARunGoes(slot: Slot) throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly))
        for phase in [RunRecord.Phase.claimed, .starting, .running] {
            let plan = try Self.plan(schedule, unfinished: [Self.going(slot, since: slot.time, phase)], now: Self.eight)
            #expect(plan.runs.map(\.outcome) == [.skipped])
            #expect(plan.runs.first?.reason.hasSuffix("was still going") == true)
            #expect(plan.runs.first?.reason.contains("asked for") == (slot.trigger == .manual))
            #expect(plan.move?.to == Self.eight + Self.hour)
            #expect(plan.stops.isEmpty)
        }
    }

    @Test func allowRunsBesideIt() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), ["overlap": "allow"])
        let going = Self.going(Slot(Self.eight - Self.hour), since: Self.eight - Self.hour)
        let plan = try Self.plan(schedule, unfinished: [going], now: Self.eight)
        #expect(plan.runs.map(\.phase) == [.claimed])
        #expect(plan.stops.isEmpty)
    }

    @Test func replaceStopsWhatGoesOnce() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), ["overlap": "replace"])
        let going = Self.going(Slot(Self.eight - Self.hour), since: Self.eight - Self.hour)
        let manual = Self.going(Slot(Self.eight - 9, trigger: .manual), since: Self.eight - 9)
        var stopped = Self.going(Slot(Self.eight - 2 * Self.hour), since: Self.eight - 2 * Self.hour)
        stopped.stop = .timeout
        let plan = try Self.plan(schedule, unfinished: [going, manual, stopped], now: Self.eight)
        #expect(plan.runs.map(\.phase) == [.claimed])
        #expect(plan.stops.map(\.slot) == [going.slot, manual.slot])
        #expect(plan.stops.allSatisfy { $0.stop == .replaced && $0.revision == 2 })
    }

    /// A scheduler that read its cursor and then stood still, while another went on.
    @Test func f29AStaleLookNeverStopsARunForAnEarlierSlot() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), ["overlap": "replace"])
        let mine = Self.going(Slot(Self.eight), since: Self.eight)
        let later = Self.going(Slot(Self.eight + Self.hour), since: Self.eight + Self.hour)
        for unfinished in [[later], [mine, later]] {
            let plan = try Self.plan(schedule, unfinished: unfinished, now: Self.eight)
            #expect(plan.stops.isEmpty)
        }
    }

    @Test func aSlotThatIsCaughtUpWithWaitsForARunThatBeganAfterIt() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly))
        let catchUp = Self.going(Slot(Self.eight - Self.hour), since: Self.eight + 60)
        let plan = try Self.plan(schedule, unfinished: [catchUp], now: Self.eight + 120)
        #expect(plan == SlotPlan(wakeAt: Self.time(Self.eight + 1801)))
        // At the end of its deadline it is passed over, and not before.
        let late = try Self.plan(schedule, unfinished: [catchUp], now: Self.eight + 1801)
        #expect(late.runs.map(\.outcome) == [.skipped])
        let free = try Self.plan(schedule, now: Self.eight + 200)
        #expect(free.runs.map(\.phase) == [.claimed])
    }

    @Test func allWaitsForAsLongAsItTakes() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), ["missed": "all"])
        let catchUp = Self.going(Slot(Self.eight - Self.hour), since: Self.eight + 60)
        let plan = try Self.plan(schedule, unfinished: [catchUp], now: Self.eight + 9 * Self.hour)
        #expect(plan == SlotPlan(), "its end wakes")
    }

    @Test func whatIsPassedOverBeforeAWaitingSlotIsRecordedOnce() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly))
        let now = Self.eight + 2 * Self.hour + 120
        let catchUp = Self.going(Slot(Self.eight - Self.hour), since: now - 60)
        let plan = try Self.plan(schedule, unfinished: [catchUp], now: now)
        #expect(plan.runs.map(\.slot.time) == [Self.eight, Self.eight + Self.hour])
        #expect(plan.runs.allSatisfy { $0.outcome == .skipped })
        #expect(plan.move?.to == Self.eight + 2 * Self.hour, "the cursor stands on what waits")
        #expect(plan.wakeAt == Self.time(Self.eight + 2 * Self.hour + 1801))
    }

    @Test func f28AClaimWhoseCursorWasNotMovedIsNotASecondOne() throws {
        for (overlap, missed) in [("forbid", "latest"), ("allow", "skip"), ("replace", "latest"), ("forbid", "all")] {
            let schedule = Self.schedule(
                cursor: .init(Self.eight, basis: Self.hourly),
                ["overlap": .string(overlap), "missed": .string(missed)]
            )
            let claimed = Self.going(Slot(Self.eight), since: Self.eight, .running)
            let plan = try Self.plan(schedule, unfinished: [claimed], now: Self.eight + 1700)
            // The store refuses it: a key is added once.
            #expect(plan.runs.map(\.key) == [claimed.key])
            #expect(plan.stops.isEmpty)
            #expect(plan.move?.to == Self.eight + Self.hour)
        }
    }

    // MARK: Off

    @Test(arguments: [true, false], ["latest", "skip", "all"])
    func f30WhatPassesWhileItIsOffLeavesNoTraceAndIsNotMadeUpFor(isSuspended: Bool, missed: String) throws {
        let policy: JSONObject = ["missed": .string(missed)]
        var off = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), policy)
        if isSuspended {
            off = Self.schedule(cursor: off.cursor, ["missed": .string(missed), "suspend": true])
        } else {
            off = Self.schedule(cursor: off.cursor, isEnabled: false, policy)
        }
        let week = Self.eight + 7 * 24 * Self.hour + 5
        let plan = try Self.plan(off, now: week)
        let next = week - 5 + Self.hour
        #expect(plan == SlotPlan(move: CursorMove(of: off, to: next, basis: Self.hourly)))
        var on = off
        on.bot.isEnabled = true
        on.bot.config = ["execution": .object(policy)]
        on.cursor = .init(next, basis: Self.hourly)
        #expect(try Self.plan(on, now: week + 1) == SlotPlan(wakeAt: Self.time(next)))
    }

    @Test func f30ReEnabledAfterAWeekWithoutASchedulerItDoesNotFireForThePast() throws {
        let schedule = Self.schedule("30 8 * * *", cursor: .init(Self.eight + 1800, basis: "30 8 * * *"))
        let plan = try Self.plan(schedule, now: Self.eight + 7 * 24 * Self.hour + 24 * Self.hour - 60)
        #expect(plan.runs.count == 8)
        #expect(plan.runs.allSatisfy { $0.outcome == .skipped })
    }

    @Test func offAndNotDueNothingIsDoneAndNobodyIsWoken() throws {
        let schedule = Self.schedule(cursor: .init(Self.eight, basis: Self.hourly), isEnabled: false)
        #expect(try Self.plan(schedule, now: Self.eight - 1) == SlotPlan())
    }

    // MARK: The clock is set

    @Test(arguments: ["forbid", "allow", "replace"], ["latest", "skip"])
    func aClockSetBackByAnHourDecidesNoSlotTwice(overlap: String, missed: String) throws {
        var world = SlotWorld(
            Self.schedule(
                "* * * * *",
                cursor: .init(Self.eight, basis: "* * * * *"),
                ["overlap": .string(overlap), "missed": .string(missed)]
            ),
            now: Self.time(Self.eight)
        )
        for minute in 0..<30 as Range<Int64> {
            world.now = Self.time(Self.eight + minute * 60)
            try world.settle()
            world.endAll()
        }
        let decided = world.decisions
        #expect(decided == 30)
        for minute in -30..<30 as Range<Int64> {
            world.now = Self.time(Self.eight + minute * 60)
            try world.settle()
        }
        #expect(world.decisions == decided, "no slot is decided before the clock is where it was")
        // Even when its records were forgotten but for the latest.
        world.forgetAllButTheLatest()
        world.now = Self.time(Self.eight - 30 * 60)
        try world.settle()
        #expect(world.decisions == decided)
        world.now = Self.time(Self.eight + 30 * 60)
        try world.settle()
        #expect(world.decisions == decided + 1)
    }

    // MARK: Anything

    /// Whether a plan, carried out, leaves nothing to do at the same time.
    static func isQuiet(_ schedule: BotSchedule, _ plan: SlotPlan, now: Int64) throws -> Bool {
        var schedule = schedule
        if let move = plan.move { schedule.cursor = .init(move.to, basis: move.basis) }
        let again = try self.plan(schedule, unfinished: plan.runs.filter { $0.phase != .ended }, now: now)
        return again.runs.isEmpty && again.stops.isEmpty && again.move == nil
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func f28WhateverHappensASlotIsDecidedOnceAndNoneIsForgotten(batch: UInt64) throws {
        for seed in (batch * 50)..<(batch * 50 + 50) {
            var world = try SlotWorld.random(seed: seed)
            let first = try #require(world.schedule.cursor.time)
            for _ in 0..<25 {
                try world.disturb()
                try world.settle()
            }
            if let broken = world.broken {
                Issue.record("seed \(seed): \(broken)")
                return
            }
            let cursor = try #require(world.schedule.cursor.time)
            let lost = world.isEverOff ? [] : world.unaccounted(from: first, before: cursor)
            #expect(lost.isEmpty, "seed \(seed): \(lost.count) slots, the first \(lost.first ?? 0)")
        }
    }
}
