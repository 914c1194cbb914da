import Control
import Model
import Runtime
import Synchronization

/// A process that can be killed at any of its calls: before the call, or after it had its effect but before the answer came.
/// Once dead it does nothing any more.
final class MortalProcess: Sendable {
    /// Calls that are left; nil for any number.
    private let left: Mutex<Int?>

    init(dyingAfter calls: Int?) { left = Mutex(calls) }

    var isDead: Bool { left.withLock { $0.map { $0 < 0 } ?? false } }

    /// Ends it now.
    func kill() { left.withLock { $0 = -1 } }

    /// Counts one of two moments of a call, and says whether the process is dead by then.
    private func dies() -> Bool {
        left.withLock { left in
            guard let count = left else { return false }
            left = count - 1
            return count <= 0
        }
    }

    func call<Value: Sendable>(_ body: () async throws(StoreError) -> Value) async throws(StoreError) -> Value {
        let dead = StoreError(.unavailable, "killed")
        if dies() { throw dead }
        let value = try await body()
        if dies() { throw dead }
        return value
    }

    func act<Value: Sendable>(_ body: () async throws(RunnerError) -> Value) async throws(RunnerError) -> Value {
        let dead = RunnerError(.unavailable, "killed")
        if dies() { throw dead }
        let value = try await body()
        if dies() { throw dead }
        return value
    }
}

/// Schedules as a mortal process sees them.
struct MortalScheduleStore: ScheduleStore {
    let base: any ScheduleStore
    let process: MortalProcess

    func schedules() async throws(StoreError) -> [StoredSchedule] {
        try await process.call { () async throws(StoreError) in try await base.schedules() }
    }

    func schedules(_ ids: [BotID]) async throws(StoreError) -> [StoredSchedule] {
        try await process.call { () async throws(StoreError) in try await base.schedules(ids) }
    }

    func move(_ moves: [CursorMove]) async throws(StoreError) -> Set<BotID> {
        try await process.call { () async throws(StoreError) in try await base.move(moves) }
    }
}

/// Runs as a mortal process sees them; what is written is also told to the test, which forgets nothing.
struct MortalRunStore: RunStore {
    let base: any RunStore
    let process: MortalProcess
    let ledger: RunLedger

    func add(_ runs: [RunRecord]) async throws(StoreError) -> Set<RunKey> {
        try await process.call { () async throws(StoreError) in
            let added = try await base.add(runs)
            ledger.note(runs.filter { added.contains($0.key) })
            return added
        }
    }

    func replace(_ run: RunRecord) async throws(StoreError) -> Bool {
        try await process.call { () async throws(StoreError) in
            let isDone = try await base.replace(run)
            if isDone { ledger.note([run]) }
            return isDone
        }
    }

    func runs(_ keys: [RunKey]) async throws(StoreError) -> [RunRecord] {
        try await process.call { () async throws(StoreError) in try await base.runs(keys) }
    }

    func unfinished(of ids: [BotID]?) async throws(StoreError) -> [RunRecord] {
        try await process.call { () async throws(StoreError) in try await base.unfinished(of: ids) }
    }

    func history(of id: BotID?, limit: Int) async throws(StoreError) -> [RunRecord] {
        try await process.call { () async throws(StoreError) in try await base.history(of: id, limit: limit) }
    }

    func latest(of ids: [BotID]?, trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord] {
        try await process.call { () async throws(StoreError) in try await base.latest(of: ids, trigger: trigger) }
    }

    func trim(_ id: BotID, keeping count: Int) async throws(StoreError) {
        try await process.call { () async throws(StoreError) in try await base.trim(id, keeping: count) }
    }
}

/// The last record of every run there ever was.
final class RunLedger: Sendable {
    private let state = Mutex<[RunKey: RunRecord]>([:])

    var all: [RunKey: RunRecord] { state.withLock { $0 } }

    func note(_ runs: [RunRecord]) {
        state.withLock { state in
            for run in runs { state[run.key] = run }
        }
    }
}

/// An engine as a mortal process uses it.
struct MortalRunner: CompletionRunner {
    let base: FakeCompletionRunner
    let process: MortalProcess

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try await process.act { () async throws(RunnerError) in try await base.runs(of: kind) }
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await process.act { () async throws(RunnerError) in try await base.runs(of: kind, id: id) }
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        try await process.act { () async throws(RunnerError) in try await base.start(spec, attempt: attempt) }
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) {
        try await process.act { () async throws(RunnerError) in try await base.remove(run) }
    }

    func platform() async throws(RunnerError) -> String {
        try await process.act { () async throws(RunnerError) in try await base.platform() }
    }

    func stop(_ run: ObservedRun) async throws(RunnerError) {
        try await process.act { () async throws(RunnerError) in try await base.stop(run) }
    }

    func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? {
        try await process.act { () async throws(RunnerError) in try await base.result(of: run, limit: limit) }
    }
}
