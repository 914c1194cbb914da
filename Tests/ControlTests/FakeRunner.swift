import Model
import Runtime
import Synchronization
import Util

/// A platform in memory that can be made to fail and to be slow: stands in for an engine where ten thousand bots or failures on
/// command are needed. Like an engine it refuses a second run of one bot, and it keeps what ended until it is removed.
final class FakeRunner: RunPreparing, Sendable {
    struct State {
        var runs: [String: ObservedRun] = [:]
        var next = 0
        var starts: [(id: BotID, attempt: Int)] = []
        var removals: [BotID] = []
        var running: [BotID: Int] = [:]
        /// The most runs of one bot that ever ran at the same time.
        var mostOfOne = 0
        var parallel = 0
        var mostParallel = 0
        var listError: RunnerError?
        var prepareErrors: [BotID: RunnerError] = [:]
        var startErrors: [BotID: RunnerError] = [:]
        var removeErrors: [BotID: RunnerError] = [:]
    }

    let state = Watched(State())
    let now: @Sendable () -> Timestamp
    /// Held by the test while a start or a removal is to hang.
    let startGate: Gate
    let removeGate: Gate

    init(now: @escaping @Sendable () -> Timestamp, startGate: Gate = Gate(), removeGate: Gate = Gate()) {
        self.now = now
        self.startGate = startGate
        self.removeGate = removeGate
    }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try state.withLock { state throws(RunnerError) in
            if let error = state.listError { throw error }
            return state.runs.values.filter { $0.kind == kind }
        }
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await runs(of: kind).filter { $0.id == id }
    }

    func prepare(_ spec: LaunchSpec) async throws(RunnerError) {
        try state.withLock { state throws(RunnerError) in
            if let error = state.prepareErrors[spec.id] { throw error }
        }
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        state.withLock { state in
            state.parallel += 1
            state.mostParallel = max(state.mostParallel, state.parallel)
            state.starts.append((spec.id, attempt))
        }
        defer { state.withLock { $0.parallel -= 1 } }
        await startGate.pass(spec.id)
        guard !Task.isCancelled else { throw RunnerError(.cancelled, "cancelled") }
        try state.withLock { state throws(RunnerError) in
            if let error = state.startErrors[spec.id] { throw error }
            let own = state.runs.values.filter { $0.id == spec.id && $0.origin == .hash(spec.hash) }
            if own.contains(where: \.isRunning) { return }
            for run in own { state.runs[run.reference] = nil }
            _ = state.add(id: spec.id, origin: .hash(spec.hash), attempt: attempt, at: now())
        }
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) {
        await removeGate.pass(run.id)
        guard !Task.isCancelled else { throw RunnerError(.cancelled, "cancelled") }
        try state.withLock { state throws(RunnerError) in
            if let error = state.removeErrors[run.id] { throw error }
            state.removals.append(run.id)
            state.runs[run.reference] = nil
        }
    }

    /// Puts a run there that nobody started through this runner.
    @discardableResult
    func put(id: BotID, origin: ObservedRun.Origin, attempt: Int = 0) -> String {
        state.withLock { $0.add(id: id, origin: origin, attempt: attempt, at: now()) }
    }

    /// Ends what runs for a bot, as a crash does.
    func crash(_ id: BotID, code: Int = 1, ahead: Duration = .zero) {
        let at = now().advanced(by: ahead)
        state.withLock { state in
            for (reference, run) in state.runs where run.id == id {
                guard let since = run.runningSince else { continue }
                state.runs[reference]?.phase = .exited(Exit(code: code, startedAt: since, finishedAt: at))
            }
        }
    }

    var runningIDs: [BotID] { state.withLock { $0.runs.values.filter(\.isRunning).map(\.id).sorted() } }
}

extension FakeRunner.State {
    @discardableResult
    mutating func add(id: BotID, origin: ObservedRun.Origin, attempt: Int, at time: Timestamp) -> String {
        next += 1
        let reference = "run-\(next)"
        runs[reference] = ObservedRun(
            reference: reference,
            id: id,
            kind: .live,
            origin: origin,
            attempt: attempt,
            createdAt: time,
            phase: .running(since: time)
        )
        mostOfOne = max(mostOfOne, runs.values.count { $0.id == id && $0.isRunning })
        return reference
    }
}

/// Lets calls pass, or holds them back for chosen bots until opened.
final class Gate: Sendable {
    private struct State {
        var closed: Set<BotID> = []
        var waiting: [(id: BotID, continuation: CheckedContinuation<Void, Never>)] = []
        var arrivals: [(id: BotID, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    func close(_ id: BotID) { state.withLock { _ = $0.closed.insert(id) } }

    func open(_ id: BotID) {
        let waiting = state.withLock { state in
            state.closed.remove(id)
            defer { state.waiting.removeAll { $0.id == id } }
            return state.waiting.filter { $0.id == id }
        }
        for waiter in waiting { waiter.continuation.resume() }
    }

    /// Returns once a call for this bot is held back.
    func arrival(of id: BotID) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.waiting.contains(where: { $0.id == id }) { return true }
                state.arrivals.append((id, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func pass(_ id: BotID) async {
        await withCheckedContinuation { continuation in
            let (passes, arrivals) = state.withLock { state in
                guard state.closed.contains(id) else { return (true, [CheckedContinuation<Void, Never>]()) }
                state.waiting.append((id, continuation))
                let arrivals = state.arrivals.filter { $0.id == id }.map(\.continuation)
                state.arrivals.removeAll { $0.id == id }
                return (false, arrivals)
            }
            for arrival in arrivals { arrival.resume() }
            if passes { continuation.resume() }
        }
    }
}
