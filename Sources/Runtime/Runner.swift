public import Model
public import Util

/// Runs bots on one platform: Docker, Kubernetes, local processes, or yours.
///
/// A runner keeps no truth of its own: what runs is always read from the platform. It sees only the runs of its own instance.
public protocol Runner: Sendable {
    /// Every run of this kind that this instance owns.
    /// - Throws: ``RunnerError`` when the list can't be had in full: an unreadable platform isn't an empty one.
    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun]

    /// The runs of one bot.
    /// - Throws: ``RunnerError`` when they can't be had in full.
    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun]

    /// Starts a bot. Starting what already runs from the same specification is a success; a platform's own names keep a bot
    /// from running twice. A start that fails leaves nothing behind. A run of the bot that has ended, or was never started, may
    /// be replaced on the way.
    /// - Parameters:
    ///   - spec: what to run.
    ///   - attempt: how many starts of this specification went before without lasting; kept with the run.
    /// - Throws: ``RunnerError`` saying what failed and whether it may succeed later.
    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError)

    /// Ends a run, gently and then by force, and removes it. Returns when it is known to be gone; a run that is gone already is
    /// a success.
    /// - Throws: ``RunnerError`` when it can't be known to be gone.
    func remove(_ run: ObservedRun) async throws(RunnerError)
}

/// A runner that can get everything a start needs before anything is stopped for it.
public protocol RunPreparing: Runner {
    /// Gets everything that a start of this specification needs (image, code), without touching what runs. A later start finds
    /// it there.
    /// - Throws: ``RunnerError`` when a start couldn't succeed.
    func prepare(_ spec: LaunchSpec) async throws(RunnerError)
}

/// A runner whose runs can be made what another specification asks for, without being ended: what runs is a description that the
/// platform works by, as a CronJob is.
public protocol RunUpdating: Runner {
    /// Makes a run what a specification asks for, in place. What the platform has under way for the old one goes on to its end.
    /// - Throws: ``RunnerError``; the run is as it was then, or already as it is to be.
    func update(_ run: ObservedRun, to spec: LaunchSpec) async throws(RunnerError)
}

/// A runner that can tell at once when a run has started or ended.
public protocol RunWatching: Runner {
    /// Watches the platform until cancelled, reconnecting for ever. Events may be missed: `wake` is called with nil whenever
    /// that is possible, also when watching begins.
    func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async
}

/// A runner that can show the last lines a run wrote.
public protocol RunOutputReading: Runner {
    /// The last lines of a run, oldest first, each without its line end.
    func lastLines(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [OutputLine]
}

/// A runner that keeps things between the runs of a bot, such as its state, and can tell what is no longer needed.
public protocol RunnerHousekeeping: Runner {
    /// Removes what was kept for bots that don't exist any more.
    /// - Parameter known: the ids of all bots there are, whether they run or not.
    func removeLeftovers(known: Set<BotID>) async throws(RunnerError)
}

/// A runner that can run something to completion, once: what a scheduler needs of it.
///
/// For `ExecutableKind.scheduled` its ``Runner/start(_:attempt:)`` never replaces what stands under the slot's name: a slot that
/// was started before, whether it runs or has ended, is a `conflict`, however long ago that was, until the run is removed.
public protocol CompletionRunner: Runner {
    /// What tells this platform, and this instance on it, from every other: two runners that see each other's runs give the
    /// same text, for ever.
    func platform() async throws(RunnerError) -> String

    /// Ends a run, gently and then by force, and leaves it there with its exit code and files. One that has ended already, or
    /// is gone, is a success.
    /// - Throws: ``RunnerError`` when it can't be known to have ended.
    func stop(_ run: ObservedRun) async throws(RunnerError)

    /// What a run that has ended left as its result, in `/bot/result.json`; nil when it left none.
    /// - Parameters:
    ///   - run: the run.
    ///   - limit: the most bytes that are read.
    /// - Throws: ``RunnerError``, with code `refused` when the result has more bytes or is no file, `gone` when the run isn't
    ///   there.
    func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]?
}

/// A line of a bot's output.
public struct OutputLine: Sendable, Hashable {
    /// Where it was written.
    public enum Stream: String, Sendable, Hashable { case stdout, stderr }

    /// Where it was written.
    public var stream: Stream
    /// When, as the platform tells.
    public var time: Timestamp
    /// What, without the line end.
    public var text: String

    /// A line.
    public init(stream: Stream, time: Timestamp, text: String) {
        self.stream = stream
        self.time = time
        self.text = text
    }
}

/// Why a runner could not do what was asked.
public struct RunnerError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, Hashable {
        /// The platform doesn't answer, or not sensibly.
        case unavailable
        /// The image isn't there and can't be had.
        case image
        /// The code can't be had at the moment.
        case codeUnavailable
        /// The code is there but can't be used.
        case codeInvalid
        /// The platform refuses the specification.
        case refused
        /// Another run stands in the way, as one whose removal isn't finished.
        case conflict
        /// The run was started and ended before it could be seen running, or could not be started.
        case failedToStart
        /// A run can't be known to have ended.
        case notStopped
        /// The run isn't there any more.
        case gone
        /// The task was cancelled.
        case cancelled
    }

    /// What kind of failure it is.
    public let code: Code
    /// What failed, where, and what would have been allowed. Holds no config value.
    public let message: String
    /// What it came from, for logs.
    public let cause: (any Error)?
    /// Whether the same may succeed later without a change.
    public let isRetryable: Bool

    /// A failure; by default retryable unless the code or the specification is at fault or the run is gone.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, isRetryable: Bool? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetryable = isRetryable ?? (code != .codeInvalid && code != .refused && code != .gone)
    }

    /// The message.
    public var description: String { message }
}
