import Glibc
import Testing
import Util

/// A time written as RFC 3339, with or without an offset from UTC.
func time(_ text: String) throws -> Timestamp {
    try RFC3339.parse(text)
}

/// The runs in a span, by asking again and again.
func runs(_ expression: CronExpression, from start: Timestamp, to end: Timestamp) -> [Timestamp] {
    var runs: [Timestamp] = []
    var now = start.advanced(by: .nanoseconds(-1))
    while let next = expression.next(after: now), next < end, runs.count < 100_000 {
        runs.append(next)
        now = next
    }
    return runs
}

/// The same by asking backwards.
func runsBackwards(_ expression: CronExpression, from start: Timestamp, to end: Timestamp) -> [Timestamp] {
    var runs: [Timestamp] = []
    var now = end
    while let previous = expression.previous(before: now), previous >= start, runs.count < 100_000 {
        runs.append(previous)
        now = previous
    }
    return runs.reversed()
}

/// The error that a text leads to.
func cronError(_ text: String, seed: String? = nil) -> CronError? {
    do {
        _ = try CronExpression(text, seed: seed)
        return nil
    } catch {
        return error
    }
}

/// The processor time that this thread spends in the closure: what other threads and processes do doesn't count.
func processorTime(_ body: () throws -> Void) rethrows -> Duration {
    func now() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    try body()
    return now() - start
}
