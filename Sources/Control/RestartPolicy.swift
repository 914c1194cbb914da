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
        let execution = try RestartPolicy.object(config["execution"], "config.execution", id)
        guard let settings = try RestartPolicy.object(execution?["restart"], "config.execution.restart", id) else {
            return
        }
        var initial = defaults.backoff.initial
        var maximum = defaults.backoff.maximum
        for (key, value) in settings.members {
            let field = "config.execution.restart.\(key)"
            switch key {
            case "initial": initial = try RestartPolicy.duration(value, field, id)
            case "maximum": maximum = try RestartPolicy.duration(value, field, id)
            case "reset_after": resetAfter = try RestartPolicy.duration(value, field, id)
            default:
                throw DocumentError(
                    id: id.text,
                    field: field,
                    problem: "is unknown; allowed are initial, maximum and reset_after"
                )
            }
        }
        do {
            backoff = try Backoff(
                initial: initial,
                multiplier: defaults.backoff.multiplier,
                maximum: maximum,
                jitter: defaults.backoff.jitter
            )
        } catch {
            throw DocumentError(id: id.text, field: "config.execution.restart", problem: error.message)
        }
    }

    private static func object(_ value: JSONValue?, _ field: String, _ id: BotID) throws(DocumentError) -> JSONObject? {
        switch value {
        case nil, .null: return nil
        case .object(let object): return object
        case .some(let other):
            throw DocumentError(id: id.text, field: field, problem: "is \(other.kindName); expected an object")
        }
    }

    private static func duration(_ value: JSONValue, _ field: String, _ id: BotID) throws(DocumentError) -> Duration {
        guard case .string(let text) = value else {
            throw DocumentError(
                id: id.text,
                field: field,
                problem: "is \(value.kindName); expected a duration as \"30s\""
            )
        }
        do { return try GoDuration.parse(text, minimum: .milliseconds(1)) } catch {
            // Without the text: no value of a config is ever shown.
            throw DocumentError(
                id: id.text,
                field: field,
                problem: "is no duration of at least 1ms; expected one as \"30s\" or \"1m30s\""
            )
        }
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
