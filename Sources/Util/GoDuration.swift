/// Durations in the text form of Go's `time.ParseDuration` and `Duration.String`: "30s", "1m30s", "1.5h", "500ms".
public enum GoDuration {
    private static let units: [String: UInt64] = [
        "ns": 1,
        "us": 1_000,
        "\u{B5}s": 1_000,  // micro sign
        "\u{3BC}s": 1_000,  // Greek mu
        "ms": 1_000_000,
        "s": 1_000_000_000,
        "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    /// Reads a duration as Go does: a sign, then decimal numbers each with a unit, or just "0".
    ///
    /// The range is Go's, 64 bits of nanoseconds (about ±292 years); fractions of a nanosecond are cut off.
    ///
    /// - Parameters:
    ///   - text: the text, without surrounding space.
    ///   - minimum: the least that is allowed; nil allows negative durations.
    /// - Throws: ``UtilError`` with code `invalidDuration`, naming the text and what is allowed.
    public static func parse(_ text: String, minimum: Duration? = nil) throws(UtilError) -> Duration {
        let duration = try parseAny(text)
        if let minimum, duration < minimum {
            throw UtilError(
                .invalidDuration,
                "duration \(text.quotedForError) is too short: the least allowed is \(string(minimum))"
            )
        }
        return duration
    }

    private static func parseAny(_ text: String) throws(UtilError) -> Duration {
        var rest = Substring(text).unicodeScalars
        let isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        if rest.elementsEqual("0".unicodeScalars) { return .zero }
        guard !rest.isEmpty else { throw malformed(text) }

        // One more than Int64.max is allowed where the sign is negative, so the sum is unsigned.
        let limit = UInt64(Int64.max) + (isNegative ? 1 : 0)
        var total: UInt64 = 0
        while !rest.isEmpty {
            let nanoseconds = try parseTerm(&rest, of: text)
            let (sum, overflow) = total.addingReportingOverflow(nanoseconds)
            guard !overflow, sum <= limit else { throw tooLong(text) }
            total = sum
        }
        return .nanoseconds(isNegative ? Int64(truncatingIfNeeded: 0 &- total) : Int64(total))
    }

    /// Takes one number with its unit off the front; the result is in nanoseconds.
    private static func parseTerm(
        _ rest: inout Substring.UnicodeScalarView,
        of text: String
    ) throws(UtilError) -> UInt64 {
        let wholeDigits = takeDigits(&rest)
        var fractionDigits: [UInt64] = []
        if rest.first == "." {
            rest.removeFirst()
            fractionDigits = takeDigits(&rest)
        }
        guard !(wholeDigits.isEmpty && fractionDigits.isEmpty) else { throw malformed(text) }

        let name = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
        rest.removeFirst(name.count)
        guard !name.isEmpty else {
            throw UtilError(
                .invalidDuration,
                "duration \(text.quotedForError) lacks a unit: allowed are \(allowedUnits)"
            )
        }
        guard let unit = units[String(name)] else {
            throw UtilError(
                .invalidDuration,
                "duration \(text.quotedForError) has an unknown unit \(Substring(name).quotedForError): "
                    + "allowed are \(allowedUnits)"
            )
        }

        var whole: UInt64 = 0
        for digit in wholeDigits {
            let (tens, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(digit)
            guard !overflow, !carry else { throw tooLong(text) }
            whole = sum
        }
        let (nanoseconds, overflow) = whole.multipliedReportingOverflow(by: unit)
        // Eighteen digits are what 64 bits hold, and more than any unit has nanoseconds.
        var fraction: UInt64 = 0
        var scale: UInt64 = 1
        for digit in fractionDigits.prefix(18) {
            fraction = fraction * 10 + digit
            scale *= 10
        }
        let part = scale.dividingFullWidth(fraction.multipliedFullWidth(by: unit)).quotient
        let (sum, carry) = nanoseconds.addingReportingOverflow(part)
        guard !overflow, !carry else { throw tooLong(text) }
        return sum
    }

    private static func takeDigits(_ rest: inout Substring.UnicodeScalarView) -> [UInt64] {
        var digits: [UInt64] = []
        while let scalar = rest.first, ("0"..."9").contains(scalar) {
            digits.append(UInt64(scalar.value - 48))
            rest.removeFirst()
        }
        return digits
    }

    private static let allowedUnits = "h, m, s, ms, us (or µs) and ns"

    private static func malformed(_ text: String) -> UtilError {
        UtilError(
            .invalidDuration,
            "\(text.quotedForError) is no duration: write numbers with units (\(allowedUnits)), such as \"1m30s\""
        )
    }

    private static func tooLong(_ text: String) -> UtilError {
        UtilError(
            .invalidDuration,
            "duration \(text.quotedForError) is too long: the range is ±2562047h47m16.854775807s"
        )
    }
}

extension GoDuration {
    /// Writes a duration as Go does: "1h0m0s", "1m30s", "1.5s", "500ms", "0s"; fractions of a nanosecond are cut off.
    public static func string(_ duration: Duration) -> String {
        let (signedSeconds, attoseconds) = duration.components
        let seconds = signedSeconds.magnitude
        let nanoseconds = attoseconds.magnitude / 1_000_000_000
        let sign = signedSeconds < 0 || attoseconds < 0 ? "-" : ""
        if seconds > 0 {
            let hours = seconds / 3600
            let minutes = seconds / 60 % 60
            let clock = hours > 0 ? "\(hours)h\(minutes)m" : minutes > 0 ? "\(minutes)m" : ""
            return sign + clock + decimal(seconds % 60, nanoseconds, places: 9) + "s"
        }
        return switch nanoseconds {
        case 0: "0s"
        case ..<1_000: "\(sign)\(nanoseconds)ns"
        case ..<1_000_000: sign + decimal(nanoseconds / 1_000, nanoseconds % 1_000, places: 3) + "µs"
        default: sign + decimal(nanoseconds / 1_000_000, nanoseconds % 1_000_000, places: 6) + "ms"
        }
    }

    private static func decimal(_ whole: UInt64, _ fraction: UInt64, places: Int) -> String {
        guard fraction > 0 else { return "\(whole)" }
        return "\(whole).\(trimmedFraction(fraction, places: places))"
    }
}

/// The digits after a decimal point, without the zeros at the end; `fraction` is less than ten to the `places`.
func trimmedFraction(_ fraction: UInt64, places: Int) -> String {
    var digits = Array(String(fraction))
    digits.insert(contentsOf: repeatElement("0", count: max(0, places - digits.count)), at: 0)
    while digits.last == "0" { digits.removeLast() }
    return String(digits)
}
