public import Control
public import Model
import Synchronization

/// Runs in memory, which can be made to fail.
public final class MemoryRunStore: RunStore, Sendable {
    fileprivate struct State {
        var runs: [BotID: [Slot: RunRecord]] = [:]
        var unfinished: Set<RunKey> = []
        var failures = CallFailures()
    }

    private let state = Mutex(State())

    /// A store without runs.
    public init() {}

    /// Every run there is, oldest slot first.
    public var all: [RunRecord] {
        state.withLock { $0.newestFirst(nil).reversed() }
    }

    /// Adds runs whose key isn't there.
    public func add(_ runs: [RunRecord]) async throws(StoreError) -> Set<RunKey> {
        try call { state in
            let new = runs.filter { run in
                guard state[run.key] == nil else { return false }
                state.put(run)
                return true
            }
            return Set(new.map(\.key))
        }
    }

    /// Puts a record in the place of the revision before.
    public func replace(_ run: RunRecord) async throws(StoreError) -> Bool {
        try call { state in
            guard let present = state[run.key] else { return false }
            guard present.revision == run.revision - 1 else { return present == run }
            state.put(run)
            return true
        }
    }

    /// The runs of some keys.
    public func runs(_ keys: [RunKey]) async throws(StoreError) -> [RunRecord] {
        try call { state in Set(keys).compactMap { state[$0] } }
    }

    /// Every run that has not ended.
    public func unfinished(of ids: [BotID]?) async throws(StoreError) -> [RunRecord] {
        let wanted = ids.map { Set($0) }
        return try call { state in
            state.unfinished.compactMap { state[$0] }.filter { wanted?.contains($0.id) ?? true }
        }
    }

    /// The latest runs, newest slot first.
    public func history(of id: BotID?, limit: Int) async throws(StoreError) -> [RunRecord] {
        try call { state in Array(state.newestFirst(id).prefix(max(0, limit))) }
    }

    /// The newest run of each schedule.
    public func latest(of ids: [BotID]?, trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord] {
        let wanted = ids.map { Set($0) }
        return try call { state in
            state.runs.compactMap { id, runs in
                guard wanted?.contains(id) ?? true else { return nil }
                return runs.values.filter { $0.slot.trigger == trigger ?? $0.slot.trigger }.max { $0.slot < $1.slot }
            }
        }
    }

    /// Forgets the oldest runs of a schedule that have ended.
    public func trim(_ id: BotID, keeping count: Int) async throws(StoreError) {
        try call { state in
            for run in state.newestFirst(id).dropFirst(max(0, count)) where run.phase == .ended {
                state.runs[run.id]?[run.slot] = nil
            }
        }
    }

    /// Has the next call fail, before or after it has done its work; several are failures of as many calls.
    public func failNext(_ error: StoreError, _ moment: CallFailures.Moment = .before) {
        state.withLock { $0.failures.add(error, moment) }
    }

    /// Forgets everything.
    public func empty() { state.withLock { $0 = State() } }

    private func call<Value: Sendable>(_ work: (inout State) throws(StoreError) -> Value) throws(StoreError) -> Value {
        try state.withLock { state throws(StoreError) in
            var failures = state.failures
            defer { state.failures = failures }
            return try failures.next { () throws(StoreError) in try work(&state) }
        }
    }
}

extension MemoryRunStore.State {
    fileprivate subscript(key: RunKey) -> RunRecord? { runs[key.id]?[key.slot] }

    fileprivate mutating func put(_ run: RunRecord) {
        runs[run.id, default: [:]][run.slot] = run
        if run.phase == .ended { unfinished.remove(run.key) } else { unfinished.insert(run.key) }
    }

    fileprivate func newestFirst(_ id: BotID?) -> [RunRecord] {
        let found = id.map { runs[$0].map { Array($0.values) } ?? [] } ?? runs.values.flatMap(\.values)
        return found.sorted { ($0.slot, $0.id) > ($1.slot, $1.id) }
    }
}
