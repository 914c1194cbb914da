import Control
import Synchronization
import Util

/// A clock that a test turns: nothing waits on it, for the test does each step itself.
final class SimulatedClock: SchedulerClock, Sendable {
    private let state: Mutex<(now: Timestamp, steady: Duration)>

    init(_ now: Timestamp) { state = Mutex((now, .zero)) }

    var now: Timestamp { state.withLock { $0.now } }
    var steady: Duration { state.withLock { $0.steady } }

    /// Time passes.
    func turn(to time: Timestamp) {
        state.withLock { state in
            let passed = time.duration(since: state.now)
            guard passed > .zero else { return }
            state.now = time
            state.steady += passed
        }
    }

    /// Somebody sets the clock, which takes no time.
    func set(_ time: Timestamp) { state.withLock { $0.now = time } }

    func sleep(until time: Timestamp) async throws { throw CancellationError() }
}
