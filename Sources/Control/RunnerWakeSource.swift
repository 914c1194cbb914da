import Model
public import Runtime

/// The runner itself as a source of wake-ups: a bot that has started or ended is looked at at once.
public struct RunnerWakeSource: WakeSource {
    /// What it is called in logs.
    public let name: String
    private let runner: any RunWatching

    /// The events of a runner.
    public init(_ runner: any RunWatching, name: String) {
        self.runner = runner
        self.name = name
    }

    /// Watches the runner's live bots until cancelled.
    public func watch(_ wake: @escaping @Sendable (Wake) -> Void) async {
        await runner.watch(.live) { id in wake(id.map(Wake.bot) ?? .everything) }
    }
}
