import Control
import Model
import Synchronization

/// Runs in memory, each call at the cost of the runs it is about and no others: what a database with the right indexes does.
final class RunLedger: RunStore, Sendable {
    private struct State {
        var runs: [BotID: [Slot: RunRecord]] = [:]
        var unfinished: [BotID: Set<Slot>] = [:]
        var running = 0

        mutating func put(_ run: RunRecord) {
            let before = runs[run.id, default: [:]].updateValue(run, forKey: run.slot)
            running += (run.phase == .running ? 1 : 0) - (before?.phase == .running ? 1 : 0)
            if run.phase == .ended {
                unfinished[run.id]?.remove(run.slot)
            } else {
                unfinished[run.id, default: []].insert(run.slot)
            }
        }

        func unfinished(of id: BotID) -> [RunRecord] { unfinished[id]?.compactMap { runs[id]?[$0] } ?? [] }
    }

    private let state = Mutex(State())

    /// How many runs have been started, as their records say.
    var running: Int { state.withLock { $0.running } }

    func add(_ runs: [RunRecord]) async throws(StoreError) -> Set<RunKey> {
        state.withLock { state in
            let new = runs.filter { run in
                guard state.runs[run.id]?[run.slot] == nil else { return false }
                state.put(run)
                return true
            }
            return Set(new.map(\.key))
        }
    }

    func replace(_ run: RunRecord) async throws(StoreError) -> Bool {
        state.withLock { state in
            guard let present = state.runs[run.id]?[run.slot] else { return false }
            guard present.revision == run.revision - 1 else { return present == run }
            state.put(run)
            return true
        }
    }

    func runs(_ keys: [RunKey]) async throws(StoreError) -> [RunRecord] {
        state.withLock { state in Set(keys).compactMap { state.runs[$0.id]?[$0.slot] } }
    }

    func unfinished(of ids: [BotID]?) async throws(StoreError) -> [RunRecord] {
        state.withLock { state in (ids ?? Array(state.unfinished.keys)).flatMap { state.unfinished(of: $0) } }
    }

    func latest(of ids: [BotID]?, trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord] {
        state.withLock { state in
            (ids ?? Array(state.runs.keys)).compactMap { id in
                state.runs[id]?.values.filter { trigger == nil || $0.slot.trigger == trigger }
                    .max { $0.slot < $1.slot }
            }
        }
    }

    func history(of id: BotID?, limit: Int) async throws(StoreError) -> [RunRecord] {
        let found = state.withLock { state in
            id.map { state.runs[$0].map { Array($0.values) } ?? [] } ?? state.runs.values.flatMap(\.values)
        }
        return Array(found.sorted { ($0.slot, $0.id) > ($1.slot, $1.id) }.prefix(max(0, limit)))
    }

    func trim(_ id: BotID, keeping count: Int) async throws(StoreError) {
        let ended = try await history(of: id, limit: .max).dropFirst(max(0, count)).filter { $0.phase == .ended }
        state.withLock { state in for run in ended { state.runs[id]?[run.slot] = nil } }
    }
}
