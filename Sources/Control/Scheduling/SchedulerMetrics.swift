import Metrics
import Util

/// What a scheduler counts. No schedule's id is a label: their number has no bound.
struct SchedulerMetrics: Sendable {
    private let passTime = Timer(label: "schedule_pass_duration")
    private let passFailures = Counter(label: "schedule_pass_failures")
    private let schedules = Gauge(label: "schedules")
    private let silent = Gauge(label: "schedules_silent")
    private let claims = Counter(label: "schedule_slots_claimed")
    private let delay = Timer(label: "schedule_start_delay")

    func passed(_ count: Int, silent silentCount: Int, in time: Duration) {
        schedules.record(count)
        silent.record(silentCount)
        passTime.record(duration: time)
    }

    func passFailed() { passFailures.increment() }

    func claimed(_ count: Int) { claims.increment(by: Int64(count)) }

    /// A run is being started, so long after it could be.
    func starting(late time: Duration) { delay.record(duration: max(.zero, time)) }

    func ended(_ outcome: RunRecord.Outcome) {
        Counter(label: "schedule_runs", dimensions: [("outcome", outcome.rawValue)]).increment()
    }
}
