public import Model
public import Runtime
public import Util

/// How a reconciler goes about its work.
public struct ReconcilerOptions: Sendable {
    /// Which kind of work is kept equal to what is desired.
    public var kind: ExecutableKind
    /// Works out what a stored bot, or none, asks for; nil: that a bot runs while it is switched on.
    public var desire: (@Sendable (StoredBot?) -> Desired)?
    /// Told of a bot for which something is about to be done, and what, after all that a start needs was had. Where it throws
    /// nothing is done.
    public var beforeActions: (@Sendable (BotID, [Action]) async throws(RunnerError) -> Void)?
    /// How often everything is looked at although nothing happened.
    public var interval: Duration
    /// How many bots are started at the same time. Engines are fastest at about two for each core.
    public var parallelStarts: Int
    /// When bots that end are started again.
    public var restart: RestartPolicy
    /// How long to wait after the store or the runner failed.
    public var retry: Backoff
    /// How long bots are left alone when not one of them was ever in the store: a store that was emptied, or the wrong one.
    public var strangerGrace: Duration
    /// How long what a runner keeps for a bot, such as its state, outlives the bot's document.
    public var leftoverAge: Duration
    /// Told of every full pass: how many bots it saw, or why it was given up.
    public var onPass: @Sendable (Result<Int, ReconcileError>) -> Void
    /// Told what runs there are whenever they were read in full: those of one bot, or, with nil, all.
    public var onObserved: @Sendable (_ id: BotID?, _ runs: [ObservedRun]) -> Void

    /// Options; by default a full pass every 30 seconds.
    public init(
        kind: ExecutableKind = .live,
        interval: Duration = .seconds(30),
        parallelStarts: Int = 4,
        restart: RestartPolicy = .standard,
        retry: Backoff = .standard,
        strangerGrace: Duration = .seconds(300),
        leftoverAge: Duration = .seconds(3600),
        desire: (@Sendable (StoredBot?) -> Desired)? = nil,
        beforeActions: (@Sendable (BotID, [Action]) async throws(RunnerError) -> Void)? = nil,
        onPass: @escaping @Sendable (Result<Int, ReconcileError>) -> Void = { _ in },
        onObserved: @escaping @Sendable (_ id: BotID?, _ runs: [ObservedRun]) -> Void = { _, _ in }
    ) {
        self.kind = kind
        self.desire = desire
        self.beforeActions = beforeActions
        self.interval = interval
        self.parallelStarts = parallelStarts
        self.restart = restart
        self.retry = retry
        self.strangerGrace = strangerGrace
        self.leftoverAge = leftoverAge
        self.onPass = onPass
        self.onObserved = onObserved
    }
}

/// Why a bot, or everything, could not be reconciled for now.
public struct ReconcileError: Error, Sendable, CustomStringConvertible {
    /// What failed.
    public enum Part: String, Sendable, Hashable {
        /// What is desired can't be read.
        case store
        /// What runs can't be read or changed.
        case runner
    }

    /// What failed.
    public let part: Part
    /// The error, in words for a log.
    public let description: String
    /// What it came from.
    public let cause: any Error
    /// The specification whose start failed, when it was a start.
    let spec: LaunchSpec?
    /// Whether the same may succeed later without a change.
    let isRetryable: Bool

    init(_ error: StoreError) {
        part = .store
        description = error.message
        cause = error
        spec = nil
        isRetryable = error.isRetryable
    }

    init(_ error: RunnerError, startOf spec: LaunchSpec? = nil) {
        part = .runner
        description = error.message
        cause = error
        self.spec = spec
        isRetryable = error.isRetryable
    }
}

extension Result {
    /// The outcome of an asynchronous call.
    init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
