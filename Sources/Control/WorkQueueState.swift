import HeapModule

/// What a `WorkQueue` keeps: which keys are due, which are being worked on, and which wait for a time.
struct WorkQueueState<Key: Hashable & Sendable, Instant: InstantProtocol>: Sendable where Instant: Sendable {
    struct Timer: Comparable {
        var due: Instant
        var key: Key

        static func < (left: Timer, right: Timer) -> Bool { left.due < right.due }
        static func == (left: Timer, right: Timer) -> Bool { left.due == right.due && left.key == right.key }
    }

    /// Keys that are due, in the order they became so; the first `taken` are done with.
    var ready: [Key] = []
    var taken = 0
    var isReady: Set<Key> = []
    var working: Set<Key> = []
    /// Keys that became due while they were being worked on.
    var again: Set<Key> = []
    /// When a key is due that waits for a time; entries of `timers` that differ from it are out of date.
    var due: [Key: Instant] = [:]
    var timers = Heap<Timer>()
    var alarm: Instant?
    var isClosed = false

    mutating func makeReady(_ key: Key) {
        due[key] = nil
        if working.contains(key) {
            again.insert(key)
        } else if isReady.insert(key).inserted {
            ready.append(key)
        }
    }

    mutating func wait(_ key: Key, until instant: Instant) {
        guard !isReady.contains(key) else { return }
        if let earlier = due[key], earlier <= instant { return }
        due[key] = instant
        timers.insert(Timer(due: instant, key: key))
    }

    /// The next key that is due.
    mutating func take(now: Instant) -> Key? {
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
    mutating func nextAlarm() -> Instant? {
        guard let earliest = timers.min?.due else { return nil }
        if let alarm, alarm <= earliest { return nil }
        alarm = earliest
        return earliest
    }
}
