public import Model
public import Runtime
public import Util

/// How a scheduler goes about its work.
public struct SchedulerOptions: Sendable {
    /// How often everything is looked at although nothing happened. Schedules are read in full less often when there are very
    /// many: as seldom as keeps that at a thousandth of the time.
    public var interval: Duration
    /// How many runs are started at the same time.
    public var parallelStarts: Int
    /// How many runs are remembered of each schedule.
    public var history: Int
    /// The most bytes a result may have.
    public var largestResult: Int
    /// How long to wait after the store or the runner failed.
    public var retry: Backoff
    /// Where time zones are looked up.
    public var zones: TimeZoneDatabase
    /// How long what a runner keeps for a schedule, such as its state, outlives the schedule's document.
    public var leftoverAge: Duration
    /// The schedules that a platform keeps itself: none of their slots is claimed. Runs that somebody asks for are made all the
    /// same.
    public var platform: PlatformSchedules?
    /// Told of every full pass: how many schedules there are, or why it was given up.
    public var onPass: @Sendable (Result<Int, ReconcileError>) -> Void
    /// Told what runs there are whenever they were read in full: those of one schedule, or, with nil, all.
    public var onObserved: @Sendable (_ id: BotID?, _ runs: [ObservedRun]) -> Void
    var patience = RunPatience()

    /// Options; by default a pass every 10 seconds.
    public init(
        interval: Duration = .seconds(10),
        parallelStarts: Int = 4,
        history: Int = 100,
        largestResult: Int = 16 << 20,
        retry: Backoff = .standard,
        zones: TimeZoneDatabase = .system,
        leftoverAge: Duration = .seconds(3600),
        platform: PlatformSchedules? = nil,
        onPass: @escaping @Sendable (Result<Int, ReconcileError>) -> Void = { _ in },
        onObserved: @escaping @Sendable (_ id: BotID?, _ runs: [ObservedRun]) -> Void = { _, _ in }
    ) {
        self.interval = interval
        self.parallelStarts = parallelStarts
        self.history = history
        self.largestResult = largestResult
        self.retry = retry
        self.zones = zones
        self.leftoverAge = leftoverAge
        self.platform = platform
        self.onPass = onPass
        self.onObserved = onObserved
    }
}

/// Where results of runs are kept.
public protocol ResultStore: Sendable {
    /// Stores what a run left, in the place of what its schedule's run before left.
    /// - Throws: `StoreError`.
    func store(_ result: [UInt8], of id: BotID) async throws(StoreError)
}
