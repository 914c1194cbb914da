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
    }

    private let state = Mutex(State())
    private let signal: AsyncStream<Void>
    private let signaller: AsyncStream<Void>.Continuation

    init() { (signal, signaller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Says that the earliest time may be another one now.
    var changes: AsyncStream<Void> { signal }

    var count: Int { state.withLock { $0.due.count } }

    /// The earliest time.
    var earliest: Timestamp? {
        state.withLock { state in
            while let entry = state.heap.min, state.due[entry.id] != entry.due { state.heap.removeMin() }
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
            return state.heap.min.map { $0.due >= time } ?? true
        }
        if isEarliest { signaller.yield() }
    }

    /// Makes a schedule due now.
    func wake(_ id: BotID, at now: Timestamp) {
        let isLater = state.withLock { state in state.due[id].map { $0 > now } ?? true }
        if isLater { set(id, at: now) }
    }

    /// Takes those off the list that are due, the earliest first.
    func take(upTo now: Timestamp, limit: Int) -> [BotID] {
        state.withLock { state in
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
    }

    /// Takes every schedule off the list that isn't among these.
    func retain(_ ids: Set<BotID>) {
        state.withLock { state in
            for id in state.due.keys where !ids.contains(id) { state.due[id] = nil }
        }
    }
}
