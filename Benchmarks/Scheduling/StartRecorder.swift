import Control
import Model
import Runtime
import Synchronization
import Util

/// An engine that only notes when it was asked to create what; its runs never end.
final class StartRecorder: CompletionRunner, Sendable {
    private struct State {
        var runs: [BotID: [ObservedRun]] = [:]
        var starts: [(slot: Slot, time: Timestamp)] = []
    }

    private let state = Mutex(State())

    /// Every start that was asked for, and when.
    var starts: [(slot: Slot, time: Timestamp)] { state.withLock { $0.starts } }

    func platform() async throws(RunnerError) -> String { "bench" }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        state.withLock { $0.runs.values.flatMap { $0 } }
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        state.withLock { $0.runs[id] ?? [] }
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        let now = Timestamp.now
        guard let slot = spec.executable.slot else { throw RunnerError(.refused, "a run without a slot") }
        try state.withLock { state throws(RunnerError) in
            guard state.runs[spec.id, default: []].allSatisfy({ $0.slot != slot }) else {
                throw RunnerError(.conflict, "\(spec.id) \(slot): the name is taken")
            }
            state.starts.append((slot, now))
            let run = ObservedRun(
                reference: "\(state.starts.count)",
                id: spec.id,
                kind: .scheduled,
                slot: slot,
                origin: .hash(spec.hash),
                attempt: attempt,
                createdAt: now,
                phase: .running(since: now)
            )
            state.runs[spec.id, default: []].append(run)
        }
    }

    func stop(_ run: ObservedRun) async throws(RunnerError) {
        throw RunnerError(.refused, "nothing is to be stopped here")
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) {
        throw RunnerError(.refused, "nothing is to be removed here")
    }

    func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? { nil }
}
