/// Times as text in the form of RFC 3339, written in UTC with integer arithmetic only.
public enum RFC3339 {
    /// Writes a time with exactly three digits after the second: "2026-11-24T08:15:23.947Z".
    ///
    /// - Parameter milliseconds: since 1970; times outside the years 0 to 9999, which the form can't express, become the
    ///   first or last one it can.
    public static func string(millisecondsSince1970 milliseconds: Int64) -> String {
        // 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let (seconds, fraction) = floorDivide(clamped, 1000)
        return wholeSeconds(seconds) + "." + padded(fraction, 3) + "Z"
    }

    /// Writes a time with as many digits after the second as it needs: "2026-11-24T08:15:23.947389765Z".
    public static func string(_ timestamp: Timestamp) -> String {
        let (seconds, fraction) = floorDivide(timestamp.nanosecondsSince1970, 1_000_000_000)
        guard fraction > 0 else { return wholeSeconds(seconds) + "Z" }
        return wholeSeconds(seconds) + "." + trimmedFraction(UInt64(fraction), places: 9) + "Z"
    }

    /// Reads a time with any offset and any number of digits after the second; those beyond nanoseconds are cut off.
    ///
    /// - Throws: ``UtilError`` with code `invalidTimestamp` for text that is no time of the years 1677 to 2262, among it
    ///   leap seconds (":60").
    public static func parse(_ text: String) throws(UtilError) -> Timestamp {
        guard let (seconds, nanoseconds) = parts(text) else {
            throw UtilError(
                .invalidTimestamp,
                "\(text.quotedForError) is no time: allowed is RFC 3339, such as \"2026-11-24T08:15:23.5Z\""
            )
        }
        // Before 1970 the fraction counts back from the next second, or the first representable one would overflow.
        let (base, rest) = seconds < 0 ? (seconds + 1, nanoseconds - 1_000_000_000) : (seconds, nanoseconds)
        let (whole, overflow) = base.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(rest)
        guard !overflow, !carry else {
            throw UtilError(
                .invalidTimestamp,
                "time \(text.quotedForError) is outside what can be represented: "
                    + "\(Timestamp(nanosecondsSince1970: .min)) to \(Timestamp(nanosecondsSince1970: .max))"
            )
        }
        return Timestamp(nanosecondsSince1970: sum)
    }

    /// Reads a time as container engines write it, where "0001-01-01T00:00:00Z", Go's zero, stands for "never".
    ///
    /// - Returns: the time, or nil for Go's zero.
    /// - Throws: ``UtilError`` as ``parse(_:)`` does, for empty text too.
    public static func parseEngineTime(_ text: String) throws(UtilError) -> Timestamp? {
        if let (seconds, nanoseconds) = parts(text), seconds == -62_135_596_800, nanoseconds == 0 { return nil }
        return try parse(text)
    }

    private static func wholeSeconds(_ seconds: Int64) -> String {
        let (days, second) = floorDivide(seconds, 86_400)
        let date = CivilDate(daysSince1970: days)
        let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        return "\(day)T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Seconds since 1970 and the nanoseconds after them; nil for text that is no time.
    private static func parts(_ text: String) -> (seconds: Int64, nanoseconds: Int64)? {
        var scanner = ByteScanner(text)
        guard let year = scanner.number(4), scanner.take("-"),
            let month = scanner.number(2), scanner.take("-"),
            let day = scanner.number(2), scanner.take("T") || scanner.take("t"),
            let hour = scanner.number(2), hour < 24, scanner.take(":"),
            let minute = scanner.number(2), minute < 60, scanner.take(":"),
            let second = scanner.number(2), second < 60
        else { return nil }
        var nanoseconds: Int64 = 0
        if scanner.take(".") {
            guard let fraction = scanner.fraction(places: 9) else { return nil }
            nanoseconds = fraction
        }
        guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.isValid else { return nil }
        return (date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds)
    }
}

/// Takes digits and marks off the front of a text.
private struct ByteScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == mark.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func digit() -> Int64? {
        guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
        rest.removeFirst()
        return Int64(byte - 0x30)
    }

    mutating func number(_ width: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// At least one digit, scaled to `places` of them.
    mutating func fraction(places: Int) -> Int64? {
        guard var value = digit() else { return nil }
        var count = 1
        while let digit = digit() {
            guard count < places else { continue }
            value = value * 10 + digit
            count += 1
        }
        for _ in count..<places { value *= 10 }
        return value
    }

    /// The offset from UTC in seconds.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let isNegative = take("-")
        guard isNegative || take("+"),
            let hours = number(2), hours < 24, take(":"),
            let minutes = number(2), minutes < 60
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return isNegative ? -seconds : seconds
    }
}
