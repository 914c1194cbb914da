public import Model
public import Runtime

/// The runner itself as a source of wake-ups: a bot that has started or ended is looked at at once.
public struct RunnerWakeSource: WakeSource {
    /// What it is called in logs.
    public let name: String
    private let runner: any RunWatching
    private let kind: ExecutableKind

    /// The events of a runner.
    /// - Parameters:
    ///   - runner: whose events.
    ///   - name: what the source is called in logs.
    ///   - kind: of which runs.
    public init(_ runner: any RunWatching, name: String, kind: ExecutableKind = .live) {
        self.runner = runner
        self.name = name
        self.kind = kind
    }

    /// Watches the runner's runs of the kind until cancelled.
    public func watch(_ wake: @escaping @Sendable (Wake) -> Void) async {
        await runner.watch(kind) { id in wake(id.map(Wake.bot) ?? .everything) }
    }
}
