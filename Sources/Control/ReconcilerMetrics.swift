import Metrics
import Runtime

/// What a reconciler counts. No bot's id is a label: their number has no bound.
struct ReconcilerMetrics: Sendable {
    private let passTime = Timer(label: "reconcile_pass_duration")
    private let passFailures = Counter(label: "reconcile_pass_failures")
    private let startTime = Timer(label: "bot_start_duration")
    private let starts = Counter(label: "bot_starts")

    func passed(in time: Duration) { passTime.record(duration: time) }

    func passFailed() { passFailures.increment() }

    func started(in time: Duration) {
        starts.increment()
        startTime.record(duration: time)
    }

    func startFailed(_ code: RunnerError.Code) {
        Counter(label: "bot_start_failures", dimensions: [("reason", code.rawValue)]).increment()
    }

    func removed(_ reason: RemovalReason) {
        Counter(label: "bot_removals", dimensions: [("reason", reason.rawValue)]).increment()
    }
}
