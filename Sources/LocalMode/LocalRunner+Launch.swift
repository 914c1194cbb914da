import Subprocess
import SystemPackage

extension LocalRunner {
    /// How long a supervisor may take to start a bot: two programs are loaded, and files read.
    private static let patience: Duration = .seconds(30)

    /// Has a supervisor started that outlives this process, and returns when it has started the bot.
    func launch(_ folder: RunFolder) async throws(LocalError) {
        let outcome: Result<Void, LocalError>
        do {
            outcome = try await withThrowingTaskGroup(of: Result<Void, LocalError>?.self) { group in
                group.addTask { try await self.launched(folder) }
                group.addTask {
                    try await Task.sleep(for: LocalRunner.patience)
                    return nil
                }
                defer { group.cancelAll() }
                if let result = try await group.next(), let result { return result }
                return .failure(
                    LocalError(.program, "the supervisor hasn't started the bot within \(LocalRunner.patience)")
                )
            }
        } catch {
            throw LocalError(
                .program,
                "the supervisor \(supervisor.first ?? "") can't be started: \(error)",
                cause: error
            )
        }
        try outcome.get()
    }

    private func launched(_ folder: RunFolder) async throws -> Result<Void, LocalError> {
        var options = PlatformOptions()
        options.createSession = true
        let result = try await Subprocess.run(
            .path(FilePath(supervisor.first ?? "")),
            arguments: Arguments(supervisor.dropFirst() + ["launch", folder.path]),
            // Of our own environment only what a program of this build may need to find its libraries.
            environment: .custom(LocalRunner.loaderVariables),
            workingDirectory: "/",
            platformOptions: options,
            output: .discarded,
            error: .string(limit: 8192)
        )
        if case .exited(0) = result.terminationStatus { return .success(()) }
        let text = result.standardError
        return .failure(
            LocalError(
                .program,
                text.isEmpty ? "the supervisor ended with \(result.terminationStatus)" : text.firstLine
            )
        )
    }
}
