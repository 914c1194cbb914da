internal import Metrics
import Synchronization

/// One time series.
protocol MetricCell: AnyObject, Sendable {
    /// The series' lines.
    func samples(name: String, labels: String) -> String
}

/// A value that only grows.
final class CounterCell: MetricCell, CounterHandler, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    func increment(by amount: Int64) {
        increment(by: Double(amount))
    }

    func increment(by amount: Double) {
        // Less would look like a restart of the process, and not-a-number would stay for ever.
        guard amount > 0, amount.isFinite else { return }
        value.withLock { $0 += amount }
    }

    func reset() {
        value.withLock { $0 = 0 }
    }

    func samples(name: String, labels: String) -> String {
        PrometheusText.sample(name, labels, value.withLock { $0 })
    }
}

/// A value that goes up and down.
final class GaugeCell: MetricCell, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) {
        set(Double(value))
    }

    func set(_ value: Double) {
        self.value.withLock { $0 = value }
    }

    func increment(by amount: Double) {
        value.withLock { $0 += amount }
    }

    func decrement(by amount: Double) {
        value.withLock { $0 -= amount }
    }

    func record(_ value: Int64) {
        set(Double(value))
    }

    func record(_ value: Double) {
        set(value)
    }

    func samples(name: String, labels: String) -> String {
        PrometheusText.sample(name, labels, value.withLock { $0 })
    }
}

/// Counts of observed values, by upper bounds.
final class HistogramCell: MetricCell, RecorderHandler, TimerHandler {
    private struct State {
        /// One more than there are bounds: the last is for what exceeds them all.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    /// - Parameter bounds: upper bounds, each included, in ascending order.
    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) {
        record(Double(value))
    }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) {
        record(Double(duration) / 1_000_000_000)
    }

    func samples(name: String, labels: String) -> String {
        let state = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var text = ""
        var total: UInt64 = 0
        for (count, bound) in zip(state.counts, bounds + [.infinity]) {
            total += count
            let labels = "\(prefix)le=\"\(PrometheusText.number(bound))\""
            text += PrometheusText.sample(name + "_bucket", labels, Double(total))
        }
        text += PrometheusText.sample(name + "_sum", labels, state.sum)
        return text + PrometheusText.sample(name + "_count", labels, Double(total))
    }
}
