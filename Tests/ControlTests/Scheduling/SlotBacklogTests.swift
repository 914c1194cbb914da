import Model
import TestSupport
import Testing
import Util

@testable import Control

/// Slots that are all made up for.
@Suite struct SlotBacklogTests {
    private static let minutely = "* * * * *"
    private static let start: Int64 = 1_767_258_000

    private func input(cursor: Int64, now: Int64, backlog: SlotBacklog? = nil) throws -> SlotInput {
        let schedule = SlotPlanTests.schedule(
            Self.minutely,
            cursor: .init(cursor, basis: Self.minutely),
            ["missed": "all", "overlap": "allow"]
        )
        let now = Timestamp(secondsSince1970: now)
        return SlotInput(schedule, rule: try ScheduleRule(schedule), backlog: backlog, now: now, owner: "us")
    }

    /// With what was counted, plans are what they are without.
    @Test(arguments: [3, 999, 1000, 1001, 1002, 5000])
    func aBacklogIsWorkedOffTheSameWhetherItIsCountedAnewOrNot(slots: Int64) throws {
        var random = SeededGenerator(seed: UInt64(slots))
        var (cursor, now) = (Self.start, Self.start + (slots - 1) * 60)
        var backlog: SlotBacklog?
        for step in 0..<1500 {
            let known = try SlotPlan(input(cursor: cursor, now: now, backlog: backlog))
            if step < 20 || step.isMultiple(of: 97) {
                var fresh = try SlotPlan(input(cursor: cursor, now: now))
                #expect(fresh.backlog?.count == known.backlog?.count)
                fresh.backlog = known.backlog
                #expect(known == fresh, "at step \(step)")
            }
            backlog = known.backlog
            guard let move = known.move else { return }
            cursor = move.to
            now += Int64.random(in: 0...30, using: &random)
        }
    }

    @Test func whatWasCountedHoldsOnlyForTheSameCursorExpressionAndAClockThatGoesOn() throws {
        let now = Self.start + 599
        let first = try SlotPlan(input(cursor: Self.start, now: now))
        let backlog = try #require(first.backlog)
        #expect(backlog.count == 9)
        // Later on only what came since is counted.
        #expect(
            try SlotBacklog(input(cursor: Self.start + 60, now: now + 60, backlog: backlog), from: Self.start + 60)
                .count == 10
        )
        // The cursor was set, or the clock.
        #expect(
            try SlotBacklog(input(cursor: Self.start + 300, now: now, backlog: backlog), from: Self.start + 300).count
                == 5
        )
        #expect(
            try SlotBacklog(input(cursor: Self.start + 60, now: now - 300, backlog: backlog), from: Self.start + 60)
                .count == 4
        )
    }

    @Test func nothingIsCountedOnceAllIsMadeUpFor() throws {
        #expect(try SlotPlan(input(cursor: Self.start, now: Self.start + 59)).backlog == nil)
        #expect(try SlotPlan(input(cursor: Self.start + 60, now: Self.start + 59)).backlog == nil)
    }
}
