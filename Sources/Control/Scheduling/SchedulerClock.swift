public import Util

/// The time as a scheduler needs it: the clock on the wall, which anybody may set, and one that only goes forward.
public protocol SchedulerClock: Sendable {
    /// The wall clock.
    var now: Timestamp { get }

    /// Time since some instant that stays the same while this process lives; nothing sets it back or forth.
    var steady: Duration { get }

    /// Waits until the wall clock shows a time or has been set past it; at most a second longer when it was set.
    /// - Throws: `CancellationError`.
    func sleep(until time: Timestamp) async throws
}

/// The machine's clocks.
public struct SystemSchedulerClock: SchedulerClock {
    private let start = ContinuousClock.now

    /// The machine's clocks.
    public init() {}

    /// The wall clock.
    public var now: Timestamp { .now }

    /// Time since this was made.
    public var steady: Duration { start.duration(to: .now) }

    /// Waits until the wall clock shows a time. It is looked at every second, so that a clock that is set, or a machine that
    /// slept, is noticed.
    public func sleep(until time: Timestamp) async throws {
        while true {
            let left = time.duration(since: now)
            guard left > .zero else { return }
            try await Task.sleep(for: min(left, .seconds(1)), tolerance: .zero)
        }
    }
}
