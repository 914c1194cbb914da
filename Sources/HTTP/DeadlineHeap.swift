/// When which transfer wants to be looked at, earliest first. An entry is only a reminder: it isn't removed when
/// its transfer ends or its deadline moves back, but checked when it comes up.
struct DeadlineHeap<Key> {
    typealias Instant = ContinuousClock.Instant
    private var entries: [(at: Instant, key: Key)] = []

    var earliest: Instant? { entries.first?.at }

    mutating func insert(_ key: Key, at instant: Instant) {
        entries.append((instant, key))
        var child = entries.count - 1
        while child > 0, entries[child].at < entries[(child - 1) / 2].at {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    var count: Int { entries.count }

    /// Drops the reminders of transfers that have ended.
    mutating func compact(keeping isLive: (Key) -> Bool) {
        // A sorted array is a heap.
        entries = entries.filter { isLive($0.key) }.sorted { $0.at < $1.at }
    }

    /// Removes and returns the earliest entry if it is due.
    mutating func popDue(_ now: Instant) -> Key? {
        guard let first = entries.first, first.at <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < entries.count else { break }
            let right = left + 1
            let child = right < entries.count && entries[right].at < entries[left].at ? right : left
            guard entries[child].at < entries[parent].at else { break }
            entries.swapAt(parent, child)
            parent = child
        }
        return first.key
    }
}
