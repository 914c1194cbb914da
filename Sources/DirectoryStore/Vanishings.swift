import Synchronization

/// Remembers what was there, so that what is missing for a moment (an editor's rename, a checkout) isn't taken for deleted.
final class Vanishings: Sendable {
    private enum Sighting { case there, missing(since: ContinuousClock.Instant) }

    private let grace: Duration
    private let clock: FileClock
    private let known = Mutex<[String: Sighting]>([:])

    /// - Parameter grace: how long something must be missing before that is believed.
    init(grace: Duration, clock: FileClock) {
        self.grace = grace
        self.clock = clock
    }

    /// Notes that something is there.
    func saw(_ name: String) { known.withLock { $0[name] = .there } }

    /// Notes that something is missing.
    /// - Returns: whether that is to be believed: it was never there, or has been missing for long enough.
    func isGone(_ name: String) -> Bool {
        let now = clock.steady()
        return known.withLock { isGone(name, now, &$0) }
    }

    /// Notes all that is there.
    /// - Returns: what was there too and is missing, but not for long enough to be believed; in a fixed order.
    func doubtful(besides present: [String]) -> [String] {
        let now = clock.steady()
        return known.withLock { known in
            let missing = Set(known.keys).subtracting(present).filter { !isGone($0, now, &known) }
            for name in present { known[name] = .there }
            return missing.sorted()
        }
    }

    private func isGone(_ name: String, _ now: ContinuousClock.Instant, _ known: inout [String: Sighting]) -> Bool {
        let since: ContinuousClock.Instant
        switch known[name] {
        case nil: return true
        case .there: since = now
        case .missing(let first): since = first
        }
        let isBelieved = since.duration(to: now) >= grace
        known[name] = isBelieved ? nil : .missing(since: since)
        return isBelieved
    }
}
