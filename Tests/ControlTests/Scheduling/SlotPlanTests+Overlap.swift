import Model
import TestSupport
import Testing
import Util

@testable import Control

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
        #expect(plan.runs.isEmpty && plan.stops.isEmpty && plan.move == nil && plan.wakeAt == nil)
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

    @Test(arguments: 0..<10 as Range<UInt64>)
    func f28WhateverHappensASlotIsDecidedOnceAndNoneIsForgotten(batch: UInt64) throws {
        for seed in (batch * 40)..<(batch * 40 + 40) {
            var world = try SlotWorld.random(seed: seed)
            let first = try #require(world.schedule.cursor.time)
            for _ in 0..<15 {
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
