public import Model
public import Util

/// What a schedule's cursor and the time come down to: which slots are claimed, which passed over, and where the cursor goes.
/// Worked out without any effect.
public struct SlotPlan: Sendable, Hashable {
    /// Runs to add: claimed ones, and slots that were passed over with the reason.
    public var runs: [RunRecord] = []
    /// Runs that still go and are to be stopped for a successor, as they are to be written.
    public var stops: [RunRecord] = []
    /// Where the cursor goes once these are written; nil where it stays.
    public var move: CursorMove?
    /// When to look again; nil when only a change or the end of a run changes anything.
    public var wakeAt: Timestamp?
    /// Why the cursor had to be put right, if it had.
    public var correction: String?
    /// The latest slot there is a record of, where that lies far ahead of now: the clock was ahead when it ran. Until it is
    /// passed none of the schedule's slots runs, for one that ran before isn't told from one that didn't.
    public var silentUntil: Int64?
    /// What is missed and still to run, as far as it was counted.
    public var backlog: SlotBacklog?
}

/// What a slot plan is made from.
public struct SlotInput: Sendable {
    /// The schedule.
    public var schedule: BotSchedule
    /// Its expression and policy.
    public var rule: ScheduleRule
    /// Its runs that have not ended.
    public var unfinished: [RunRecord]
    /// The latest slot it has a record of, where that is known.
    public var latestSlot: Int64?
    /// What the last plan counted.
    public var backlog: SlotBacklog?
    /// The time.
    public var now: Timestamp
    /// Who claims.
    public var owner: String

    /// The input of a plan.
    public init(
        _ schedule: BotSchedule,
        rule: ScheduleRule,
        unfinished: [RunRecord] = [],
        latestSlot: Int64? = nil,
        backlog: SlotBacklog? = nil,
        now: Timestamp,
        owner: String
    ) {
        self.schedule = schedule
        self.rule = rule
        self.unfinished = unfinished
        self.latestSlot = latestSlot
        self.backlog = backlog
        self.now = now
        self.owner = owner
    }
}

extension SlotPlan {
    /// The most slots that are looked at one by one after a long absence; those before are passed over together.
    static let mostMissed = 1000
    /// The most slots of one look that get a record each as passed over.
    static let mostSkipped = 20
    /// How late a slot may be claimed where missed ones are passed over.
    static let punctual: Duration = .seconds(10)
    /// How far ahead the latest record may be, in seconds, for the clocks of two machines to differ.
    static let mostAhead: Int64 = 60

    /// Works out what to do for one schedule now.
    public init(_ input: SlotInput) {
        let (schedule, rule) = (input.schedule, input.rule)
        let seconds = input.now.secondsSince1970
        let isOff = !schedule.bot.isEnabled || rule.policy.isSuspended
        if let correction = Self.correction(input) {
            self.correction = correction
            turn(input, to: rule.next(after: max(seconds, input.latestSlot ?? .min)))
            return
        }
        guard let due = schedule.cursor.time, due <= seconds else {
            if !isOff, let time = schedule.cursor.time { wait(input, for: time) }
            return
        }
        guard !isOff else {
            // What passes while it is off isn't made up for afterwards.
            turn(input, to: rule.next(after: seconds))
            return
        }
        if rule.policy.missed == .all { all(input, from: due) } else { latest(input, from: due) }
    }

    /// What is wrong with the cursor, if anything is.
    private static func correction(_ input: SlotInput) -> String? {
        let (cursor, rule) = (input.schedule.cursor, input.rule)
        guard let value = cursor.value else { return "there was none" }
        guard let time = cursor.time else {
            return value.kindName == "a number" ? "it was no second after 1970" : "it was \(value.kindName)"
        }
        if let basis = cursor.basis, basis != rule.basis { return "the expression has changed" }
        guard rule.isSlot(time) else { return "it was on no slot" }
        let latest = max(input.now.secondsSince1970, input.latestSlot ?? .min)
        guard let next = rule.next(after: latest) else { return nil }
        return time > next ? "it was beyond the next slot" : nil
    }

    /// Whether ``latestSlot`` matters, which costs a reading to know.
    static func needsLatestSlot(_ schedule: BotSchedule, rule: ScheduleRule, now: Timestamp) -> Bool {
        correction(SlotInput(schedule, rule: rule, now: now, owner: "")) != nil
    }

    private mutating func wait(_ input: SlotInput, for time: Int64) {
        wakeAt = Timestamp(secondsSince1970: time)
        let now = input.now.secondsSince1970
        if let latest = input.latestSlot, latest < time, latest - Self.mostAhead > now { silentUntil = latest }
    }

    private mutating func turn(_ input: SlotInput, to time: Int64?) {
        guard let time else { return }
        if input.schedule.cursor.time != time || input.schedule.cursor.basis != input.rule.basis {
            move = CursorMove(of: input.schedule, to: time, basis: input.rule.basis)
        }
        let isOff = !input.schedule.bot.isEnabled || input.rule.policy.isSuspended
        if !isOff { wait(input, for: time) }
    }

    /// The latest slot that is due runs, if it may; those before are passed over.
    private mutating func latest(_ input: SlotInput, from first: Int64) {
        let rule = input.rule
        let afterNow = Timestamp(secondsSince1970: input.now.secondsSince1970 + 1)
        let last = max(first, rule.expression.previous(before: afterNow)?.secondsSince1970 ?? first)
        if last > first { skipEarlier(input, from: first, to: last) }
        switch decision(input, on: last) {
        case .wait(let until):
            wakeAt = until
            // What was passed over is decided; the cursor stands on what waits.
            if last > first { move = CursorMove(of: input.schedule, to: last, basis: rule.basis) }
            return
        case .skip(let reason): skip(input, last, reason)
        case .claim: claim(input, last)
        }
        turn(input, to: rule.next(after: last))
    }

    /// Every slot runs: one with each look, the oldest first.
    private mutating func all(_ input: SlotInput, from first: Int64) {
        let rule = input.rule
        var slot = first
        var passed = 0
        // After a very long absence the newest of them are enough.
        var backlog = SlotBacklog(input, from: first)
        if backlog.count > Self.mostMissed {
            let last = rule.previous(before: input.now.secondsSince1970 + 1) ?? first
            var newest = last
            for _ in 1..<Self.mostMissed { newest = rule.previous(before: newest) ?? newest }
            if newest > first, let before = rule.previous(before: newest) {
                passed = 1
                let reason = "more than \(Self.mostMissed) are not made up for"
                skip(input, before, "missed, with every slot since \(Self.time(first)): \(reason)")
                slot = newest
                backlog.keep(from: newest, to: last)
            }
        }
        switch decision(input, on: slot) {
        case .wait(let until):
            wakeAt = until
            self.backlog = backlog
            if passed > 0 { move = CursorMove(of: input.schedule, to: slot, basis: rule.basis) }
            return
        case .skip(let reason): skip(input, slot, reason)
        case .claim: claim(input, slot)
        }
        let next = rule.next(after: slot)
        self.backlog = next.flatMap { backlog.without(slot, next: $0) }
        turn(input, to: next)
    }

    private enum Decision {
        case claim
        case skip(String)
        /// A run is in the way that began after the slot; nil when only its end changes anything.
        case wait(Timestamp?)
    }

    private func decision(_ input: SlotInput, on slot: Int64) -> Decision {
        let (policy, now) = (input.rule.policy, input.now)
        // Somebody, we ourselves perhaps, has claimed it and not yet moved the cursor.
        if input.unfinished.contains(where: { $0.slot == Slot(slot) }) { return .claim }
        let time = Timestamp(secondsSince1970: slot)
        if policy.missed == .skip, now.duration(since: time) > Self.punctual {
            return .skip("missed: no scheduler was there, and missed slots are not made up for")
        }
        let end = time.advanced(by: input.rule.deadline(of: slot))
        let isBounded = policy.missed != .all || policy.deadline != nil
        if isBounded, now > end { return .skip("missed: its deadline was \(end)") }
        guard policy.overlap == .forbid, let going = input.unfinished.min(by: { $0.slot < $1.slot }) else {
            return .claim
        }
        if (going.startedAt ?? going.claimedAt) <= time {
            return .skip("the run for \(Self.text(going.slot)) was still going")
        }
        return .wait(isBounded ? end.advanced(by: .seconds(1)) : nil)
    }

    private mutating func claim(_ input: SlotInput, _ slot: Int64) {
        let (rule, policy) = (input.rule, input.rule.policy)
        let start = rule.start(of: slot, id: input.schedule.id)
        let base = max(start, input.now)
        var run = RunRecord(
            id: input.schedule.id,
            slot: Slot(slot),
            owner: input.owner,
            claimedAt: input.now,
            notBefore: start,
            startBy: base.advanced(by: rule.deadline(of: slot))
        )
        run.retries = policy.retries
        run.timeout = policy.timeout?.wholeSeconds ?? 0
        run.isExclusive = policy.overlap != .allow
        runs.append(run)
        guard policy.overlap == .replace else { return }
        // Not a later one: then this look is out of date, and another scheduler is further on.
        stops += input.unfinished.filter { $0.slot < run.slot && $0.stop == nil }.map { going in
            going.next { $0.stop = .replaced }
        }
    }

    private mutating func skip(_ input: SlotInput, _ slot: Int64, _ reason: String) {
        runs.append(.skipped(input.schedule.id, Slot(slot), owner: input.owner, at: input.now, reason: reason))
    }

    /// Passes over the slots from one on up to another that may run, each with a record, the oldest of very many with one.
    private mutating func skipEarlier(_ input: SlotInput, from first: Int64, to last: Int64) {
        let rule = input.rule
        let reason =
            rule.policy.missed == .skip
            ? "missed: no scheduler was there, and missed slots are not made up for"
            : "missed: a later slot was due as well"
        var slots: [Int64] = []
        while slots.count < Self.mostSkipped, let before = rule.previous(before: slots.last ?? last), before >= first {
            slots.append(before)
        }
        // The last of those that share a record bears it: where an earlier look, whose cursor wasn't moved, has left a record
        // under that slot, it has told of all before as well.
        if let before = rule.previous(before: slots.last ?? last), before >= first {
            skip(input, before, before > first ? "\(reason); so were all since \(Self.time(first))" : reason)
        }
        for slot in slots.reversed() { skip(input, slot, reason) }
    }

    private static func time(_ slot: Int64) -> Timestamp { Timestamp(secondsSince1970: slot) }

    static func text(_ slot: Slot) -> String {
        let time = Timestamp(secondsSince1970: slot.time).description
        return slot.trigger == .manual ? "\(time) (asked for)" : time
    }
}

extension Duration {
    /// Rounded up to seconds.
    var wholeSeconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
