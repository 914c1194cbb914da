/// The fields of a cron expression.
enum CronField: Int {
    case second, minute, hour, dayOfMonth, month, dayOfWeek

    /// In the order of an expression with five fields, and with six.
    static let five: [CronField] = [.minute, .hour, .dayOfMonth, .month, .dayOfWeek]
    static let six: [CronField] = [.second] + five

    /// The least and the greatest value.
    var bounds: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...6
        }
    }

    /// What may be written: Sunday is also 7.
    var greatestWritten: Int { self == .dayOfWeek ? 7 : bounds.upperBound }

    /// What `H` chooses from: only days that every month has.
    var spread: ClosedRange<Int> { self == .dayOfMonth ? 1...28 : bounds }

    var name: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of the month"
        case .month: "month"
        case .dayOfWeek: "day of the week"
        }
    }

    /// The rest of an error message.
    var allowed: String {
        switch self {
        case .second, .minute, .hour:
            "\(bounds.lowerBound) to \(greatestWritten), *, ranges a-b, steps /n, lists a,b and H"
        case .dayOfMonth:
            "1 to 31, * or ?, ranges a-b, steps /n, lists a,b, L (last day), L-n, nW (weekday nearest to n), LW and H"
        case .month:
            "1 to 12 or JAN to DEC, *, ranges a-b, steps /n, lists a,b and H"
        case .dayOfWeek:
            "0 to 7 or SUN to SAT, * or ?, ranges a-b, steps /n, lists a,b, nL (last), n#k (kth of the month) and H"
        }
    }

    /// The value that three letters stand for, in any case.
    func value(ofName letters: ArraySlice<UInt8>) -> Int? {
        guard self == .month || self == .dayOfWeek, letters.count == 3 else { return nil }
        let key = Self.key(letters)
        let names = self == .month ? Self.monthKeys : Self.dayKeys
        return names.firstIndex(of: key).map { self == .month ? $0 + 1 : $0 }
    }

    private static func key(_ letters: some Sequence<UInt8>) -> UInt32 {
        letters.reduce(0) { $0 << 8 | UInt32($1 & ~0x20) }
    }

    private static let monthKeys = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ].map { key($0.utf8) }
    private static let dayKeys = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"].map { key($0.utf8) }
}
