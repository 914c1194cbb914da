import Synchronization

/// Keys waiting to be worked on: each at most once, none while it is being worked on, some only after a time.
///
/// A key added while it is being worked on comes again afterwards, so nothing that happened meanwhile is missed.
final class WorkQueue<Key: Hashable & Sendable, C: Clock<Duration>>: Sendable {
    private let state = Mutex(WorkQueueState<Key, C.Instant>())
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
        state.withLock { $0.wait(key, until: due) }
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
