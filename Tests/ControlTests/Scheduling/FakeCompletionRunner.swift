import Control
import Model
import Runtime
import Synchronization
import TestSupport
import Util

/// An engine in memory whose runs end by themselves after a time: for a year within seconds, and for kills at every call.
///
/// Like an engine it gives a slot's name once, and keeps what ended until it is removed.
final class FakeCompletionRunner: CompletionRunner, Sendable {
    struct Run {
        var observed: ObservedRun
        var ends: Timestamp
        var exit: Int
    }

    struct State {
        var runs: [RunKey: Run] = [:]
        /// How often each slot was started, by attempt.
        var starts: [RunKey: [Int]] = [:]
        /// When runs of a schedule went, to see which went beside one another.
        var spans: [BotID: [(begin: Timestamp, end: Timestamp)]] = [:]
        var stops: [RunKey] = []
        var startErrors: [BotID: RunnerError] = [:]
        var results: [RunKey: [UInt8]] = [:]
        var listError: RunnerError?
        var number = 0
    }

    let state = Mutex(State())
    private let clock: any SchedulerClock
    private let name: String
    /// How long a run takes, and what it ends with.
    private let behaviour: @Sendable (RunKey, _ attempt: Int) -> (takes: Duration, exit: Int)

    init(
        clock: any SchedulerClock,
        name: String = "fake",
        behaviour: @escaping @Sendable (RunKey, Int) -> (takes: Duration, exit: Int) = { _, _ in (.seconds(5), 0) }
    ) {
        self.clock = clock
        self.name = name
        self.behaviour = behaviour
    }

    func platform() async throws(RunnerError) -> String { name }

    /// When the next run ends.
    var nextEnd: Timestamp? { state.withLock { $0.runs.values.filter { $0.observed.isRunning }.map(\.ends).min() } }

    private func settle(_ state: inout State) {
        let now = clock.now
        for (key, run) in state.runs where run.observed.isRunning && run.ends <= now { state.end(key, at: run.ends) }
    }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try state.withLock { state throws(RunnerError) in
            if let error = state.listError { throw error }
            settle(&state)
            return state.runs.values.map(\.observed)
        }
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await runs(of: kind).filter { $0.id == id }
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        try state.withLock { state throws(RunnerError) in
            if let error = state.startErrors[spec.id] { throw error }
            guard let slot = spec.executable.slot else { throw RunnerError(.refused, "no slot") }
            let key = RunKey(spec.id, slot)
            guard state.runs[key] == nil else { throw RunnerError(.conflict, "the name is taken") }
            let now = clock.now
            let (takes, exit) = behaviour(key, attempt)
            state.number += 1
            state.starts[key, default: []].append(attempt)
            state.runs[key] = Run(
                observed: ObservedRun(
                    reference: "\(state.number)",
                    id: spec.id,
                    kind: .scheduled,
                    slot: slot,
                    origin: .hash(spec.hash),
                    attempt: attempt,
                    createdAt: now,
                    phase: .running(since: now)
                ),
                ends: now.advanced(by: takes),
                exit: exit
            )
        }
    }

    func stop(_ run: ObservedRun) async throws(RunnerError) {
        state.withLock { state in
            guard let key = run.slot.map({ RunKey(run.id, $0) }), state.runs[key]?.observed.isRunning == true else {
                return
            }
            state.stops.append(key)
            state.runs[key]?.exit = 143
            state.end(key, at: clock.now)
        }
    }

    func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? {
        state.withLock { state in run.slot.flatMap { state.results[RunKey(run.id, $0)] } }
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) {
        state.withLock { state in
            guard let key = run.slot.map({ RunKey(run.id, $0) }) else { return }
            state.runs[key] = nil
        }
    }
}

extension FakeCompletionRunner.State {
    fileprivate mutating func end(_ key: RunKey, at time: Timestamp) {
        guard let run = runs[key], let begin = run.observed.runningSince else { return }
        spans[key.id, default: []].append((begin, time))
        runs[key]?.observed.phase = .exited(Exit(code: run.exit, startedAt: begin, finishedAt: time))
    }
}
