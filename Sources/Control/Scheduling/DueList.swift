import HeapModule
import Model
import Synchronization
import Util

/// When each schedule is to be looked at: the earliest first, each schedule once.
final class DueList: Sendable {
    private struct Entry: Comparable {
        let due: Timestamp
        let id: BotID

        static func < (left: Entry, right: Entry) -> Bool { left.due < right.due }
    }

    private struct State {
        /// Entries that differ from `due` are out of date.
        var heap = Heap<Entry>()
        var due: [BotID: Timestamp] = [:]
        var announcements = 0

        /// Drops what is out of date from the front: it must not hide what comes after it.
        mutating func clearFront() {
            while let entry = heap.min, due[entry.id] != entry.due { heap.removeMin() }
        }

        /// Makes the heap anew when most of it is out of date: a schedule that is often woken leaves an entry each time.
        mutating func tidy() {
            guard heap.count > 2 * due.count + 64 else { return }
            heap = Heap(due.map { Entry(due: $0.value, id: $0.key) })
        }
    }

    private let state = Mutex(State())
    private let signal: AsyncStream<Void>
    private let signaller: AsyncStream<Void>.Continuation

    init() { (signal, signaller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Says that the earliest time may be another one now.
    var changes: AsyncStream<Void> { signal }

    var count: Int { state.withLock { $0.due.count } }

    /// How many entries are held, those out of date among them.
    var size: Int { state.withLock { $0.heap.count } }

    /// How often it has said so.
    var announcements: Int { state.withLock { $0.announcements } }

    private func announce() {
        state.withLock { $0.announcements += 1 }
        signaller.yield()
    }

    /// The earliest time.
    var earliest: Timestamp? {
        state.withLock { state in
            state.clearFront()
            return state.heap.min?.due
        }
    }

    /// Sets when a schedule is due; nil takes it off the list.
    func set(_ id: BotID, at time: Timestamp?) {
        let isEarliest = state.withLock { state in
            guard let time else {
                state.due[id] = nil
                return false
            }
            guard state.due[id] != time else { return false }
            state.due[id] = time
            state.heap.insert(Entry(due: time, id: id))
            state.tidy()
            state.clearFront()
            return state.heap.min.map { $0.due >= time } ?? true
        }
        if isEarliest { announce() }
    }

    /// Makes a schedule due now.
    func wake(_ id: BotID, at now: Timestamp) {
        let isLater = state.withLock { state in state.due[id].map { $0 > now } ?? true }
        if isLater { set(id, at: now) }
    }

    /// Takes those off the list that are due, the earliest first. What comes after them is the earliest then, which is said also
    /// where none was due any more: whoever had waited for that one waits for nothing now.
    func take(upTo now: Timestamp, limit: Int) -> [BotID] {
        let ids = state.withLock { state -> [BotID] in
            var ids: [BotID] = []
            while ids.count < limit, let entry = state.heap.min {
                let isCurrent = state.due[entry.id] == entry.due
                guard !isCurrent || entry.due <= now else { break }
                state.heap.removeMin()
                guard isCurrent else { continue }
                state.due[entry.id] = nil
                ids.append(entry.id)
            }
            return ids
        }
        announce()
        return ids
    }

    /// Takes every schedule off the list that isn't among these.
    func retain(_ ids: Set<BotID>) {
        state.withLock { state in
            for id in state.due.keys where !ids.contains(id) { state.due[id] = nil }
        }
    }
}
