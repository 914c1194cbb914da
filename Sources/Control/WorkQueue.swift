import HeapModule
import Synchronization

/// Keys waiting to be worked on: each at most once, none while it is being worked on, some only after a time.
///
/// A key added while it is being worked on comes again afterwards, so nothing that happened meanwhile is missed.
final class WorkQueue<Key: Hashable & Sendable, C: Clock<Duration>>: Sendable {
    private struct Timer: Comparable {
        var due: C.Instant
        var key: Key

        static func < (left: Timer, right: Timer) -> Bool { left.due < right.due }
        static func == (left: Timer, right: Timer) -> Bool { left.due == right.due && left.key == right.key }
    }

    private struct State {
        /// Keys that are due, in the order they became so; the first `taken` are done with.
        var ready: [Key] = []
        var taken = 0
        var isReady: Set<Key> = []
        var working: Set<Key> = []
        /// Keys that became due while they were being worked on.
        var again: Set<Key> = []
        /// When a key is due that waits for a time; entries of `timers` that differ from it are out of date.
        var due: [Key: C.Instant] = [:]
        var timers = Heap<Timer>()
        var alarm: C.Instant?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let clock: C
    private let signal: AsyncStream<Void>
    private let signaller: AsyncStream<Void>.Continuation

    init(clock: C) {
        self.clock = clock
        // One pending signal says "look again"; more would say nothing else.
        (signal, signaller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes a key due now.
    func add(_ key: Key) {
        state.withLock { $0.makeReady(key) }
        signaller.yield()
    }

    /// Makes a key due at a time, unless it is due before.
    func add(_ key: Key, after delay: Duration) {
        let due = clock.now.advanced(by: delay)
        state.withLock { state in
            guard !state.isReady.contains(key) else { return }
            if let earlier = state.due[key], earlier <= due { return }
            state.due[key] = due
            state.timers.insert(Timer(due: due, key: key))
        }
        signaller.yield()
    }

    /// Ends ``run(_:)`` without starting anything more; work under way is cancelled.
    func close() {
        state.withLock { $0.isClosed = true }
        signaller.yield()
    }

    /// How many keys are due, being worked on, and waiting for a time.
    var counts: (ready: Int, working: Int, waiting: Int) {
        state.withLock { ($0.isReady.count, $0.working.count, $0.due.count) }
    }

    /// Works on keys as they become due, different ones at the same time, until closed or cancelled.
    func run(_ work: @escaping @Sendable (Key) async -> Void) async {
        await withDiscardingTaskGroup { group in
            for await _ in signal {
                guard !state.withLock({ $0.isClosed }) else { break }
                while let key = state.withLock({ $0.take(now: clock.now) }) {
                    group.addTask {
                        await work(key)
                        self.state.withLock { $0.finish(key) }
                        self.signaller.yield()
                    }
                }
                guard let alarm = state.withLock({ $0.nextAlarm() }) else { continue }
                group.addTask {
                    // Cancelled means that the queue ends; then nobody waits for the alarm.
                    try? await self.clock.sleep(until: alarm, tolerance: nil)
                    self.state.withLock { if $0.alarm == alarm { $0.alarm = nil } }
                    self.signaller.yield()
                }
            }
            group.cancelAll()
        }
    }
}

extension WorkQueue.State {
    mutating func makeReady(_ key: Key) {
        due[key] = nil
        if working.contains(key) {
            again.insert(key)
        } else if isReady.insert(key).inserted {
            ready.append(key)
        }
    }

    /// The next key that is due.
    mutating func take(now: C.Instant) -> Key? {
        while let timer = timers.min, timer.due <= now || due[timer.key] != timer.due {
            timers.removeMin()
            if due[timer.key] == timer.due { makeReady(timer.key) }
        }
        guard taken < ready.count else { return nil }
        let key = ready[taken]
        taken += 1
        if taken > 64, taken * 2 > ready.count {
            ready.removeFirst(taken)
            taken = 0
        }
        isReady.remove(key)
        working.insert(key)
        return key
    }

    mutating func finish(_ key: Key) {
        working.remove(key)
        if again.remove(key) != nil { makeReady(key) }
    }

    /// The time of the earliest waiting key, unless an alarm is set for it or before.
    mutating func nextAlarm() -> C.Instant? {
        guard let earliest = timers.min?.due else { return nil }
        if let alarm, alarm <= earliest { return nil }
        alarm = earliest
        return earliest
    }
}
