import Model
import Runtime
import Synchronization
import Util

/// A strategy that is compiled into the program.
typealias Strategy = @Sendable (_ id: BotID, _ config: JSONObject) async throws -> Void

/// A backend of one's own: runs each bot as a task of this program, the strategy named by its entrypoint.
final class TaskRunner: Runner, RunWatching {
    private struct Entry {
        var run: ObservedRun
        let task: Task<Void, Never>
    }

    private let strategies: [String: Strategy]
    private let entries = Mutex<[BotID: Entry]>([:])
    private let changes: AsyncStream<BotID>
    private let changed: AsyncStream<BotID>.Continuation

    init(_ strategies: [String: Strategy]) {
        self.strategies = strategies
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1000))
    }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        entries.withLock { $0.values.map(\.run) }.filter { $0.kind == kind }
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await runs(of: kind).filter { $0.id == id }
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        guard let strategy = strategies[spec.entrypoint] else {
            let known = strategies.keys.sorted().joined(separator: ", ")
            throw RunnerError(.codeInvalid, "bot \(spec.id): no strategy \(spec.entrypoint); there are \(known)")
        }
        // One step: between the look and the start nobody else can start it.
        let isFree = entries.withLock { entries in
            if let present = entries[spec.id], present.run.isRunning { return present.run.matches(spec) }
            entries[spec.id] = begin(spec, attempt, strategy)
            return true
        }
        guard isFree else { throw RunnerError(.conflict, "bot \(spec.id) still runs from another specification") }
        changed.yield(spec.id)
    }

    private func begin(_ spec: LaunchSpec, _ attempt: Int, _ strategy: @escaping Strategy) -> Entry {
        let begin = Timestamp.now
        let task = Task {
            var code = 0
            do { try await strategy(spec.id, spec.executable.config) } catch { code = 1 }
            let exit = Exit(code: code, startedAt: begin, finishedAt: .now)
            self.entries.withLock { $0[spec.id]?.run.phase = .exited(exit) }
            self.changed.yield(spec.id)
        }
        let run = ObservedRun(
            reference: "\(spec.id) since \(begin)",
            id: spec.id,
            kind: spec.executable.kind,
            origin: .hash(spec.hash),
            attempt: attempt,
            createdAt: begin,
            phase: .running(since: begin)
        )
        return Entry(run: run, task: task)
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) {
        // Of another run of the same bot nothing is touched.
        guard let entry = entries.withLock({ $0[run.id] }), entry.run.reference == run.reference else { return }
        entry.task.cancel()
        await entry.task.value
        entries.withLock { if $0[run.id]?.run.reference == run.reference { $0[run.id] = nil } }
    }

    func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async {
        wake(nil)
        for await id in changes { wake(id) }
    }
}
