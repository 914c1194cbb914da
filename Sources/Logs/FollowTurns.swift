import Synchronization
import Util

/// Bounds how many runs are followed at once. Where there are more, each is followed for a while in its turn, in the order they
/// came; what the engine keeps of a run's output meanwhile is read then.
final class FollowTurns: Sendable {
    fileprivate struct Turn {
        let number: UInt64
        let since: Duration
        let stop: Wakeup
    }

    fileprivate struct State {
        var waiting = 0
        var next: UInt64 = 0
        /// The oldest first.
        var turns: [Turn] = []
    }

    /// How long a turn lasts at least.
    private let length: Duration
    private let permits: AsyncSemaphore
    private let time: LogClock
    private let state = Mutex(State())
    private let wanted = Wakeup()

    init(atOnce: Int, length: Duration, time: LogClock) {
        self.length = length
        permits = AsyncSemaphore(permits: atOnce)
        self.time = time
    }

    /// Does something in its turn, unless cancelled before that comes.
    /// - Parameter stop: woken when the turn is over because others wait; whoever calls ends the task then, and comes again.
    func inTurn(_ stop: Wakeup, _ body: @Sendable () async -> Bool) async -> Bool {
        if state.withLock({ $0.isFirstToWait() }) { wanted.wake() }
        do {
            return try await permits.withPermit {
                let number = begin(stop)
                defer { end(number) }
                return await body()
            }
        } catch {
            // Cancelled before its turn.
            state.withLock { $0.waiting -= 1 }
            return false
        }
    }

    private func begin(_ stop: Wakeup) -> UInt64 {
        let now = time.now()
        return state.withLock { state in
            state.waiting -= 1
            state.next += 1
            state.turns.append(Turn(number: state.next, since: now, stop: stop))
            return state.next
        }
    }

    private func end(_ number: UInt64) {
        state.withLock { state in
            // Not there any more: its turn was ended.
            guard let index = state.turns.firstIndex(where: { $0.number == number }) else { return }
            state.turns.remove(at: index)
        }
    }

    /// Ends turns while others wait, until cancelled.
    func run() async {
        var pause: Duration?
        while !Task.isCancelled {
            await wanted.wait(for: pause, clock: time.clock)
            pause = endTurns()
        }
    }

    /// Ends as many turns as others wait for; returns after which time to look again, nil when nobody waits.
    private func endTurns() -> Duration? {
        let now = time.now()
        let (ended, pause) = state.withLock { state -> ([Turn], Duration?) in
            guard state.waiting > 0 else { return ([], nil) }
            let ended = state.turns.prefix(state.waiting).prefix { now - $0.since >= length }
            state.turns.removeFirst(ended.count)
            let left = state.turns.first.map { length - (now - $0.since) } ?? length
            return (Array(ended), max(left, .milliseconds(100)))
        }
        for turn in ended { turn.stop.wake() }
        return pause
    }
}

extension FollowTurns.State {
    fileprivate mutating func isFirstToWait() -> Bool {
        waiting += 1
        return waiting == 1
    }
}
