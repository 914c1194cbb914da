import Util

/// The slots that were missed and are all to run, counted: each look takes one of them, and counts only what came since.
public struct SlotBacklog: Sendable, Hashable {
    /// The expression with its zone.
    let basis: String
    /// The first of them, where the cursor stands.
    private(set) var first: Int64
    /// The last of them that was counted.
    private var last: Int64
    /// How many there are; one more than ``SlotPlan/mostMissed`` is as many as are counted.
    private(set) var count: Int

    /// Counts the slots from a cursor up to now, beginning with what the last look counted.
    init(_ input: SlotInput, from first: Int64) {
        let (rule, now) = (input.rule, input.now.secondsSince1970)
        basis = rule.basis
        (self.first, last, count) = (first, first, 1)
        // Not where the clock was set back, or the cursor was set.
        if let known = input.backlog, known.basis == basis, known.first == first, known.last <= now {
            (last, count) = (known.last, known.count)
        }
        while count <= SlotPlan.mostMissed, let next = rule.next(after: last), next <= now {
            last = next
            count += 1
        }
    }

    /// Lets the oldest go, so that as many remain as may: those from one slot to the last one that has come.
    mutating func keep(from slot: Int64, to last: Int64) {
        (first, self.last, count) = (slot, last, SlotPlan.mostMissed)
    }

    /// What is left after the first of them; nil when nothing is.
    func without(_ slot: Int64, next: Int64) -> SlotBacklog? {
        guard slot == first, count > 1 else { return nil }
        var rest = self
        rest.first = next
        rest.count -= 1
        return rest
    }
}
