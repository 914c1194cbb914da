import Model
import Runtime

/// A runner whose view is brought up to date before it is asked, for tests that read what others have written a moment ago.
struct SettledRunner: Runner {
    let runner: any Runner
    let settle: @Sendable () async throws -> Void

    private func settled() async throws(RunnerError) {
        do { try await settle() } catch { throw RunnerError(.unavailable, "not settled: \(error)", cause: error) }
    }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try await settled()
        return try await runner.runs(of: kind)
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await settled()
        return try await runner.runs(of: kind, id: id)
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        try await runner.start(spec, attempt: attempt)
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) { try await runner.remove(run) }
}
