/// Measurements of one thing.
struct Samples: Sendable {
    private(set) var values: [Double]

    init(_ values: [Double] = []) { self.values = values }

    mutating func add(_ value: Double) { values.append(value) }

    var count: Int { values.count }
    var median: Double { quantile(0.5) }
    var least: Double { values.min() ?? .nan }
    var most: Double { values.max() ?? .nan }
    var sum: Double { values.reduce(0, +) }

    /// The value below which a share of the samples lies, between two samples by their distance; of none not a number.
    func quantile(_ share: Double) -> Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return .nan }
        let position = share * Double(sorted.count - 1)
        let index = Int(position)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (sorted[index + 1] - sorted[index]) * (position - Double(index))
    }

    /// Least and greatest value, and how many there are.
    func range(_ unit: (Double) -> String) -> String { "\(unit(least)) – \(unit(most)), n = \(count)" }

    /// The middle half, the extremes, and how many there are.
    func quartiles(_ unit: (Double) -> String) -> String {
        "quartiles \(unit(quantile(0.25))) – \(unit(quantile(0.75))), \(range(unit))"
    }
}

/// A time in seconds with three significant digits.
func time(_ seconds: Double) -> String {
    switch abs(seconds) {
    case 1...: "\(digits(seconds)) s"
    case 1e-3...: "\(digits(seconds * 1e3)) ms"
    case 1e-6...: "\(digits(seconds * 1e6)) µs"
    default: "\(digits(seconds * 1e9)) ns"
    }
}

/// A ratio.
func times(_ ratio: Double) -> String { "\(digits(ratio)) ×" }

/// A share of one core.
func share(_ cores: Double) -> String { "\(digits(cores * 100)) % of a core" }

/// Bytes in MB of a million, as the aims are given.
func megabytes(_ bytes: Double) -> String { "\(digits(bytes / 1e6)) MB" }

/// A number with three significant digits, without an exponent.
func digits(_ value: Double) -> String {
    guard value.isFinite else { return "?" }
    guard value != 0 else { return "0" }
    var places = 0
    var scaled = abs(value)
    while scaled < 100, places < 6 {
        scaled *= 10
        places += 1
    }
    var power = 1.0
    for _ in 0..<places { power *= 10 }
    let whole = (value * power).rounded() / power
    return whole == whole.rounded() ? "\(Int(whole))" : "\(whole)"
}
