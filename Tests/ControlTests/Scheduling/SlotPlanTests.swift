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
    @Test(arguments: ["latest", "skip", "all"], [0, 1, 40, 150] as [Int64])
    func f28NothingIsLostWhenTheCursorWasNotMovedBeforeALongAbsence(policy: String, before: Int64) throws {
        // Looks at a thousand slots one by one take long.
        let isSlow = policy == "all"
        for after: Int64 in isSlow ? [1, 60] : [1, 50, 99, 100, 101, 102, 103, 400, 3000] {
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

    /// The clock was ahead, by more than two machines' clocks differ.
    @Test(arguments: [(0, false), (1, false), (60, false), (61, true), (86_400, true)] as [(Int64, Bool)])
    func slotsThatPassSilentlyBecauseALaterOneHasRunAreTold(ahead: Int64, isTold: Bool) throws {
        let now = Self.eight - ahead
        for execution in [[:], ["suspend": true]] as [JSONObject] {
            let schedule = Self.schedule(cursor: .init(Self.eight + Self.hour, basis: Self.hourly), execution)
            let plan = try Self.plan(schedule, latestSlot: Self.eight, now: now)
            #expect(plan.silentUntil == (isTold && execution.isEmpty ? Self.eight : nil))
            #expect(plan.runs.isEmpty && plan.move == nil)
            // The same where the cursor has to be put right.
            let missing = Self.schedule(cursor: .init(), execution)
            #expect(try Self.plan(missing, latestSlot: Self.eight, now: now).silentUntil == plan.silentUntil)
        }
    }

    /// The same where more are due than are made up for, the second time with others.
    @Test func f28NothingOfAVeryLongBacklogIsLostWhenTheCursorWasNotMoved() throws {
        let schedule = Self.schedule(
            cursor: .init(Self.eight, basis: Self.hourly),
            ["missed": "all", "overlap": "allow"]
        )
        var world = SlotWorld(schedule, now: Self.time(Self.eight + 1500 * Self.hour))
        try world.lookAndDieBeforeTheCursorMoves()
        world.endAll()
        let last = Self.eight + 3000 * Self.hour
        world.now = Self.time(last)
        try world.settle()
        #expect(world.unaccounted(from: Self.eight, to: last).isEmpty)
    }
}
