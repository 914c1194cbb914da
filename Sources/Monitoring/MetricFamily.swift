/// The series of one name.
struct Family {
    enum Kind {
        case counter, gauge, histogram, timer

        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram, .timer: "histogram"
            }
        }

        /// The name as Prometheus' conventions want it: with its unit, and `_total` for counters.
        func name(_ label: String) -> String {
            let name = PrometheusText.name(label)
            return switch self {
            case .counter: name.hasSuffix("_total") ? name : name + "_total"
            case .timer: name.hasSuffix("_seconds") ? name : name + "_seconds"
            case .gauge, .histogram: name
            }
        }

        /// The names of the lines of a metric of that name, and that name.
        func samples(_ name: String) -> [String] {
            switch self {
            case .counter, .gauge: [name]
            case .histogram, .timer: [name, name + "_bucket", name + "_sum", name + "_count"]
            }
        }
    }

    static let overflowLabels = "overflow=\"true\""

    let kind: Kind
    let help: String
    var series: [String: any MetricCell] = [:]

    init(kind: Kind, help: String) {
        self.kind = kind
        self.help = help
    }

    /// The series with these labels, or the one for everything beyond the limit; nil for another kind.
    mutating func cell<Cell: MetricCell>(_ labels: String, kind: Kind, limit: Int, make: () -> Cell) -> Cell? {
        guard kind == self.kind else { return nil }
        if let existing = series[labels] { return existing as? Cell }
        let regular = series.count - (series[Self.overflowLabels] == nil ? 0 : 1)
        let labels = regular < limit ? labels : Self.overflowLabels
        if let existing = series[labels] { return existing as? Cell }
        let cell = make()
        series[labels] = cell
        return cell
    }

    func text(name: String) -> String {
        PrometheusText.head(name, type: kind.type, help: help)
            + series.sorted { $0.key < $1.key }.map { $0.value.samples(name: name, labels: $0.key) }.joined()
    }
}
