public import Model
public import Runtime
public import Util

/// When a bot that ended by itself is started again: after a delay that doubles with every start that didn't last.
public struct RestartPolicy: Sendable, Hashable {
    /// The delays.
    public var backoff: Backoff
    /// How long a bot must have run for its next end to count as the first.
    public var resetAfter: Duration

    /// 1 s doubling to 5 min, ± 20 %, reset after 10 min of health.
    public static let standard = RestartPolicy(backoff: .standard, resetAfter: .seconds(600))

    /// A policy of these delays.
    public init(backoff: Backoff, resetAfter: Duration) {
        self.backoff = backoff
        self.resetAfter = resetAfter
    }

    /// Reads `execution.restart` of a bot's config: `initial`, `maximum` and `reset_after`, durations as `30s`; what isn't set
    /// is taken from the defaults.
    /// - Throws: `DocumentError` for an unknown or invalid setting.
    public init(config: JSONObject, id: BotID, defaults: RestartPolicy) throws(DocumentError) {
        self = defaults
        guard let execution = try ConfigFields(config["execution"], path: "config.execution", id: id),
            let settings = try ConfigFields(execution.object["restart"], path: "config.execution.restart", id: id)
        else { return }
        try settings.allow(["initial", "maximum", "reset_after"])
        resetAfter = try settings.duration("reset_after") ?? resetAfter
        backoff = try settings.backoff(defaults.backoff)
    }

    /// When a run that ended is followed by the next, and which attempt that is.
    ///
    /// Derived from what the platform keeps of the run, so that it is the same after a restart of this program.
    public func next(after exit: Exit, attempt: Int, id: BotID, now: Timestamp) -> (attempt: Int, due: Timestamp) {
        let lasted = exit.finishedAt.duration(since: exit.startedAt) >= resetAfter
        let next = lasted ? 1 : max(0, attempt) + 1
        let delay = backoff.delay(attempt: next, seed: id.text)
        // Nobody waits longer than the delay itself, whatever the clocks say.
        return (next, min(exit.finishedAt, now).advanced(by: delay))
    }

    /// How long to wait after a start that failed: the longest delay at once where only a change can help.
    func delay(after failure: StartFailure, id: BotID) -> Duration {
        failure.isRetryable ? backoff.delay(attempt: failure.count, seed: id.text) : backoff.maximum
    }
}
