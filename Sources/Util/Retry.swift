public import Logging

/// Runs an operation until it succeeds, waiting between attempts as the backoff says.
///
/// Errors that are no ``RetryableError``, or one that says it isn't retryable, end the attempts at once: an unknown
/// failure is not repeated.
///
/// - Parameters:
///   - what: what is attempted, for the log.
///   - backoff: the delays between attempts.
///   - seed: what tells this sequence of delays from others, such as an id; nil for random jitter.
///   - maxAttempts: the most attempts, 1 or more (less counts as 1); nil for no limit.
///   - deadline: how long after the call a further attempt may still begin; nil for no limit. An attempt under way is
///     not interrupted.
///   - clock: what measures and waits.
///   - logger: told of each failure, at debug level.
///   - operation: what to do; told the number of the attempt, from 1.
/// - Returns: what the operation returned.
/// - Throws: the operation's last error; `CancellationError` when the task is cancelled while waiting.
public nonisolated(nonsending) func retry<Value, C: Clock<Duration>>(
    _ what: String,
    backoff: Backoff = .standard,
    seed: String? = nil,
    maxAttempts: Int? = nil,
    deadline: Duration? = nil,
    clock: C = ContinuousClock(),
    logger: Logger? = nil,
    operation: nonisolated(nonsending) (_ attempt: Int) async throws -> Value
) async throws -> Value {
    let start = clock.now
    var generator = SystemRandomNumberGenerator()
    var attempt = 1
    while true {
        try Task.checkCancellation()
        do {
            return try await operation(attempt)
        } catch {
            let delay =
                seed.map { backoff.delay(attempt: attempt, seed: $0) }
                ?? backoff.delay(attempt: attempt, using: &generator)
            let isLast = maxAttempts.map { attempt >= $0 } ?? false
            let isLate = deadline.map { start.duration(to: clock.now) + delay > $0 } ?? false
            let isRetryable = (error as? any RetryableError)?.isRetryable ?? false
            let givesUp = isLast || isLate || !isRetryable || Task.isCancelled
            logger?.debug(
                "\(givesUp ? "attempt failed, giving up" : "attempt failed, trying again")",
                metadata: [
                    "what": "\(what)", "attempt": "\(attempt)", "error": "\(error)",
                    "delay": "\(givesUp ? "none" : GoDuration.string(delay))",
                ]
            )
            if givesUp { throw error }
            try await clock.sleep(for: delay)
            attempt += 1
        }
    }
}
