/// The pieces of Prometheus' text format, version 0.0.4.
///
/// Source: prometheus.io/docs/instrumenting/exposition_formats and /docs/concepts/data_model.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A metric's name of `[a-zA-Z_][a-zA-Z0-9_]*`; colons are for recording rules, so they are replaced too.
    static func name(_ text: String) -> String {
        var name = String(String.UnicodeScalarView(text.unicodeScalars.map { isNamePart($0) ? $0 : "_" }))
        if let first = name.unicodeScalars.first, !("0"..."9").contains(first) { return name }
        name.insert("_", at: name.startIndex)
        return name
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }

    /// A label's name; those that begin with two underscores, and "le" of histograms, are Prometheus' own.
    static func labelName(_ text: String) -> String {
        let name = name(text)
        return name.hasPrefix("__") || name == "le" ? "label_" + name : name
    }

    /// Labels in order of their names, `name="value"` separated by commas; of equal names the last counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        let unique = Dictionary(dimensions.map { (labelName($0.0), $0.1) }) { $1 }
        return unique.sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(escaped(String($0.value.unicodeScalars.prefix(maximumValueLength))))\"" }
            .joined(separator: ",")
    }

    /// The most Unicode scalars of a label's value that are kept.
    static let maximumValueLength = 200

    static func escaped(_ value: String, quotes: Bool = true) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\"" where quotes: text += "\\\""
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    static func sample(_ name: String, _ labels: String, _ value: Double) -> String {
        labels.isEmpty ? "\(name) \(number(value))\n" : "\(name){\(labels)} \(number(value))\n"
    }

    static func head(_ name: String, type: String, help: String) -> String {
        "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(type)\n"
    }

    /// Whole numbers without a fraction; the rest as Swift writes it, the shortest text that reads back the same.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return "\(whole)" }
        return "\(value)"
    }
}
