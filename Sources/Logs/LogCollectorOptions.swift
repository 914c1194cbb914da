public import Model
public import Util

/// How a collector of lines goes about its work.
public struct LogCollectorOptions: Sendable {
    /// When lines that wait in the spool are stored.
    public var policy: StorePolicy
    /// How long lines may be in memory only; they are read again when the process dies meanwhile.
    public var writeDelay: Duration
    /// How many bots' lines are stored at the same time.
    public var parallelStores: Int
    /// How many runs are followed at the same time, each over a connection of its own; where there are more, in turns.
    public var mostFollowed: Int
    /// How long a run is followed at least while others wait for their turn.
    public var followTurn: Duration
    /// How long to wait after a run's output couldn't be read.
    public var followRetry: Backoff
    /// How long to wait after the object store failed.
    public var storeRetry: Backoff
    /// How long reading a run's last lines may hold up its removal.
    public var finalReading: Duration
    /// What to mask in a bot's lines; nil for nothing.
    public var masking: @Sendable (BotID) -> LogMasking?

    /// Options; by default nothing is masked.
    public init(
        policy: StorePolicy = StorePolicy(),
        writeDelay: Duration = .milliseconds(200),
        parallelStores: Int = 3,
        mostFollowed: Int = .max,
        followTurn: Duration = .seconds(5),
        followRetry: Backoff? = nil,
        storeRetry: Backoff? = nil,
        finalReading: Duration = .seconds(10),
        masking: @escaping @Sendable (BotID) -> LogMasking? = { _ in nil }
    ) {
        self.policy = policy
        self.writeDelay = writeDelay
        self.parallelStores = max(1, parallelStores)
        self.mostFollowed = max(1, mostFollowed)
        self.followTurn = followTurn
        let retry = try? Backoff(initial: .milliseconds(500), maximum: .seconds(30))
        self.followRetry = followRetry ?? retry ?? .standard
        self.storeRetry = storeRetry ?? retry ?? .standard
        self.finalReading = finalReading
        self.masking = masking
    }
}
