public import Metrics
import Synchronization

/// A swift-metrics backend that shows its metrics in Prometheus' text format, version 0.0.4.
///
/// | swift-metrics | Prometheus |
/// |---|---|
/// | counter, floating-point counter | counter, its name ending in `_total` |
/// | meter, gauge (recorder that doesn't aggregate) | gauge |
/// | timer | histogram in seconds, its name ending in `_seconds`, with ``timerBuckets`` |
/// | recorder that aggregates | histogram with ``recorderBuckets`` |
///
/// Characters that Prometheus doesn't allow in names become underscores; label values are cut to 200 Unicode scalars.
/// A metric has at most ``maximumSeries`` combinations of labels: all further ones count together in one series with the
/// label `overflow="true"` (for gauges that is the value set last). A name asked for as two types, counter and gauge
/// say, stays the first; the second isn't shown, and `monitoring_rejected_metrics_total` counts it.
public final class PrometheusRegistry: MetricsFactory {
    /// Upper bounds of timers, in seconds.
    public static let timerBuckets: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]
    /// Upper bounds of recorders that aggregate.
    public static let recorderBuckets: [Double] = [
        1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000,
    ]

    /// The most combinations of labels of a metric.
    public let maximumSeries: Int
    private let families = Mutex<[String: Family]>([:])
    private let rejected = CounterCell()
    private let help: [String: String]

    /// A registry without metrics.
    ///
    /// - Parameters:
    ///   - maximumSeries: the most combinations of labels of a metric; less than 1 counts as 1.
    ///   - help: sentences that explain metrics, by their names as swift-metrics knows them.
    public init(maximumSeries: Int = 200, help: [String: String] = [:]) {
        self.maximumSeries = max(1, maximumSeries)
        self.help = help
    }

    /// All metrics, in order of their names and labels.
    public func render() -> String {
        let families = families.withLock { $0 }
        var text = families.sorted { $0.key < $1.key }.map { $0.value.text(name: $0.key) }.joined()
        text += PrometheusText.head(
            Self.rejectedName,
            type: "counter",
            help: "Metrics that are not shown because their name has another type."
        )
        return text + rejected.samples(name: Self.rejectedName, labels: "")
    }

    private static let rejectedName = "monitoring_rejected_metrics_total"

    /// The series of a name and labels; made when it doesn't exist yet.
    private func cell<Cell: MetricCell>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ type: Family.Kind,
        make: () -> Cell
    ) -> Cell {
        let name = type.name(label)
        let labels = PrometheusText.labels(dimensions)
        let cell = families.withLock { families -> Cell? in
            if families[name] == nil {
                guard type.samples(name).allSatisfy({ claimed($0, by: families) == false }) else { return nil }
                families[name] = Family(kind: type, help: help[label] ?? "\(label), without further description.")
            }
            return families[name]?.cell(labels, kind: type, limit: maximumSeries, make: make)
        }
        if let cell { return cell }
        rejected.increment(by: Int64(1))
        return make()
    }

    /// Whether a name of sample lines is in use, as "x_count" is by a histogram "x".
    private func claimed(_ sample: String, by families: [String: Family]) -> Bool {
        sample == Self.rejectedName || families.contains { $0.value.kind.samples($0.key).contains(sample) }
    }

    private func remove(_ cell: AnyObject) {
        families.withLock { families in
            for (name, family) in families {
                guard let labels = family.series.first(where: { $0.value === cell })?.key else { continue }
                families[name]?.series[labels] = nil
                if families[name]?.series.isEmpty == true { families[name] = nil }
                return
            }
        }
    }
}

extension PrometheusRegistry {
    /// A counter; for the same label and dimensions always the same one.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter) { CounterCell() }
    }

    /// A counter that takes fractions; for the same label and dimensions always the same one.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, dimensions, .counter) { CounterCell() }
    }

    /// A gauge; for the same label and dimensions always the same one.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .gauge) { GaugeCell() }
    }

    /// A histogram, or a gauge where nothing is to be aggregated; for the same label and dimensions always the same one.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return cell(label, dimensions, .gauge) { GaugeCell() } }
        return cell(label, dimensions, .histogram) { HistogramCell(bounds: Self.recorderBuckets) }
    }

    /// A histogram in seconds; for the same label and dimensions always the same one.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .timer) { HistogramCell(bounds: Self.timerBuckets) }
    }

    /// No longer shows a counter.
    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    /// No longer shows a counter.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    /// No longer shows a gauge.
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    /// No longer shows a recorder.
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    /// No longer shows a timer.
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
