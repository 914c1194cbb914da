public import Model

/// What an operator can choose about bots as local processes beside the sandbox.
public struct LocalSettings: Sendable, Hashable {
    /// What bots are shut in with, beyond limits.
    public enum Confinement: String, Sendable, Hashable, CaseIterable {
        /// Nothing: a bot can do whatever the runner's own user can.
        case none
        /// Bubblewrap: a file system of its own, in which the system is read-only and no home is visible, and no sight of other
        /// processes. The network stays the machine's.
        case bubblewrap
    }

    /// What bots are shut in with.
    public var confinement: Confinement
    /// How long a bot may take to end after SIGTERM; then its whole tree is killed.
    public var stopGrace: Duration
    /// The size in bytes at which a new file of a bot's output is begun.
    public var logFileSize: Int64
    /// How many such files are kept.
    public var logFileCount: Int
    /// The most files and sockets of each process of a bot.
    public var descriptorLimit: Int64
    /// Whether limits are set by control groups where the system lets us.
    public var usesControlGroups: Bool
    /// How long the last reading of an ended run's output may hold up its removal.
    public var finalReadLimit: Duration
    /// The kinds of work whose leftovers a runner removes: those whose whole list of ids it is given.
    public var keptKinds: Set<ExecutableKind>

    /// Settings, with everything that isn't given at its default.
    public init(
        confinement: Confinement = .none,
        stopGrace: Duration = .seconds(30),
        logFileSize: Int64 = 10 << 20,
        logFileCount: Int = 3,
        descriptorLimit: Int64 = 4096,
        usesControlGroups: Bool = true,
        finalReadLimit: Duration = .seconds(10),
        keptKinds: Set<ExecutableKind> = [.live]
    ) {
        self.confinement = confinement
        self.stopGrace = stopGrace
        self.logFileSize = logFileSize
        self.logFileCount = logFileCount
        self.descriptorLimit = descriptorLimit
        self.usesControlGroups = usesControlGroups
        self.finalReadLimit = finalReadLimit
        self.keptKinds = keptKinds
    }
}
