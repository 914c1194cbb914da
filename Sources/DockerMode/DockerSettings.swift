public import Model

/// What an operator can choose about the Docker backend beside the sandbox.
public struct DockerSettings: Sendable, Hashable {
    /// When an image is asked of its registry.
    public enum PullPolicy: String, Sendable, Hashable, CaseIterable {
        /// When the engine doesn't have it.
        case missing
        /// At every start; where the registry doesn't answer, an image the engine has is used, with a warning.
        case always
        /// Never: an image the engine doesn't have is an error.
        case never
    }

    /// When an image is asked of its registry.
    public var pullPolicy: PullPolicy
    /// The size at which a file of the engine's own log of a bot is changed for a new one, as Docker writes it: `10m`.
    public var logFileSize: String
    /// How many such files are kept.
    public var logFileCount: Int
    /// How long a bot may take to end after SIGTERM; then it is killed.
    public var stopGrace: Duration
    /// The weight of a bot's CPU time against that of other containers when the machine is
    /// busy, 1024 being usual; nil takes it from the CPU that the bot requests.
    public var cpuShares: Int64?
    /// The folder of the `config.json` in which Docker's own client keeps credentials of registries; nil where none are used.
    public var registryLogins: String?
    /// How many containers are looked at one by one at the same time.
    public var inspectConcurrency: Int
    /// The kinds of work whose leftovers this runner removes: those whose whole list of ids it is given.
    public var keptKinds: Set<ExecutableKind>
    /// How long the answer to a container's start is still waited for after a cancellation.
    var startGrace: Duration = .seconds(10)

    /// Settings, with everything that isn't given at its default.
    public init(
        pullPolicy: PullPolicy = .missing,
        logFileSize: String = "10m",
        logFileCount: Int = 3,
        stopGrace: Duration = .seconds(30),
        cpuShares: Int64? = nil,
        registryLogins: String? = nil,
        inspectConcurrency: Int = 8,
        keptKinds: Set<ExecutableKind> = [.live]
    ) {
        self.pullPolicy = pullPolicy
        self.logFileSize = logFileSize
        self.logFileCount = logFileCount
        self.stopGrace = stopGrace
        self.cpuShares = cpuShares
        self.registryLogins = registryLogins
        self.inspectConcurrency = inspectConcurrency
        self.keptKinds = keptKinds
    }

    /// The grace in whole seconds, as the engine takes it, rounded up.
    var stopGraceSeconds: Int64 {
        let (seconds, attoseconds) = stopGrace.components
        return max(0, attoseconds > 0 ? seconds + 1 : seconds)
    }
}
