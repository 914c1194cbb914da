import Metrics
import Util

/// What is counted of bots' lines. No bot's id is a label: their number has no bound.
struct LogsMetrics: Sendable {
    private let lines = Counter(label: "log_lines")
    private let bytes = Counter(label: "log_bytes")
    private let dropped = Counter(label: "log_lines_dropped")
    private let gaps = Counter(label: "log_gaps")
    private let followFailures = Counter(label: "log_follow_failures")
    private let spoolFailures = Counter(label: "log_spool_failures")
    private let spool = Gauge(label: "log_spool_bytes")
    private let storedBytes = Counter(label: "log_stored_bytes")
    private let storeFailures = Counter(label: "log_store_failures")
    private let lastStored = Gauge(label: "log_last_stored_timestamp_seconds")

    func wrote(_ writing: SpoolWriting, spoolBytes: Int) {
        lines.increment(by: writing.lines)
        bytes.increment(by: writing.bytes)
        if writing.dropped > 0 { dropped.increment(by: writing.dropped) }
        if writing.failure != nil { spoolFailures.increment() }
        spool.record(spoolBytes)
    }

    func gap() { gaps.increment() }

    func followFailed() { followFailures.increment() }

    func stored(_ stored: Stored, at time: Timestamp, spoolBytes: Int) {
        storedBytes.increment(by: stored.bytes)
        lastStored.record(time.secondsSince1970)
        spool.record(spoolBytes)
    }

    func storeFailed() { storeFailures.increment() }
}
