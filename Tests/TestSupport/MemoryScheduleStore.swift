public import Control
public import Model
import Synchronization

/// Schedules in memory, which can be made to fail.
public final class MemoryScheduleStore: ScheduleStore, Sendable {
    fileprivate struct State {
        var entries: [BotID: [StoredSchedule]] = [:]
        var nameless: [StoredSchedule] = []
        var failures = CallFailures()
    }

    private let state = Mutex(State())

    /// A store of these schedules.
    public init(_ schedules: [BotSchedule] = []) {
        for schedule in schedules { put(schedule) }
    }

    /// Every schedule there is.
    public func schedules() async throws(StoreError) -> [StoredSchedule] {
        try state.withLock { state throws(StoreError) in
            try state.failures.next { state.entries.values.flatMap { $0 } + state.nameless }
        }.joined()
    }

    /// Those of some ids that there are.
    public func schedules(_ ids: [BotID]) async throws(StoreError) -> [StoredSchedule] {
        try state.withLock { state throws(StoreError) in
            try state.failures.next { Set(ids).flatMap { state.entries[$0] ?? [] } }
        }.joined()
    }

    /// Moves cursors on that stand as they were read.
    public func move(_ moves: [CursorMove]) async throws(StoreError) -> Set<BotID> {
        try state.withLock { state throws(StoreError) in
            var failures = state.failures
            defer { state.failures = failures }
            return try failures.next { Set(moves.filter { state.move($0) }.map(\.id)) }
        }
    }

    /// Adds a schedule, or puts it in the place of the one of its id.
    public func put(_ schedule: BotSchedule) { state.withLock { $0.entries[schedule.id] = [.schedule(schedule)] } }

    /// Changes a schedule that is there and usable, as a person or an event would.
    public func change(_ id: BotID, _ change: (inout BotSchedule) -> Void) {
        state.withLock { state in
            guard var schedule = state.entries[id]?.first?.usable else { return }
            change(&schedule)
            state.entries[id] = [.schedule(schedule)]
        }
    }

    /// Removes a schedule.
    public func remove(_ id: BotID) { state.withLock { $0.entries[id] = nil } }

    /// Has the store hold these documents and no others.
    public func fill(_ documents: [JSONObject]) {
        state.withLock { state in
            (state.entries, state.nameless) = ([:], [])
            for entry in documents.map(StoredSchedule.init(document:)) {
                if let id = entry.id {
                    state.entries[id, default: []].append(entry)
                } else {
                    state.nameless.append(entry)
                }
            }
        }
    }

    /// Has the next call fail, before or after it has done its work; several are failures of as many calls.
    public func failNext(_ error: StoreError, _ moment: CallFailures.Moment = .before) {
        state.withLock { $0.failures.add(error, moment) }
    }
}

extension MemoryScheduleStore.State {
    fileprivate mutating func move(_ move: CursorMove) -> Bool {
        guard let entries = entries[move.id], entries.count == 1, var schedule = entries[0].usable,
            schedule.schedule == move.schedule, schedule.cursor == move.from
        else { return false }
        let cursor = ScheduleCursor(move.to, basis: move.basis)
        guard schedule.cursor != cursor else { return false }
        schedule.cursor = cursor
        self.entries[move.id] = [.schedule(schedule)]
        return true
    }
}

extension [StoredSchedule] {
    fileprivate func joined() -> [StoredSchedule] { StoredSchedule.resolvingDuplicates(self) }
}
