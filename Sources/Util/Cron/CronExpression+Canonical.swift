extension CronExpression {
    /// The one text for all expressions of this meaning: `*/15 9-17 * * 1-5`, with `TZ=` before it unless it is in UTC.
    ///
    /// Names and `H` become numbers; seconds are left out when they are 0. Read again it gives an equal expression.
    public var canonical: String {
        zone == .utc ? canonicalFields : "TZ=\(zone.name) \(canonicalFields)"
    }

    /// The canonical text without its time zone.
    public var canonicalFields: String {
        switch rule {
        case .every(let period): "@every \(GoDuration.string(.seconds(period)))"
        case .fields(let fields): fields.canonical
        }
    }
}

extension CronExpression: CustomStringConvertible {
    /// The canonical text.
    public var description: String { canonical }
}

extension CronFields {
    fileprivate var canonical: String {
        let (minute, hour) = timesText
        let month = Self.list(months, of: .month, steps: true)
        let text = "\(minute) \(hour) \(daysOfMonthText) \(month) \(daysOfWeekText)"
        return seconds == 1 ? text : "\(Self.list(seconds, of: .second, steps: true)) \(text)"
    }

    /// The five fields without special days. A day field has `*` only where any day fits, and no step, which versions of
    /// robfig/cron take for a star or not.
    var standardText: String {
        let (minute, hour) = timesText
        let day = anyDayOfMonth ? "*" : Self.list(daysOfMonth, of: .dayOfMonth, steps: false, any: false)
        let weekday = anyDayOfWeek ? "*" : Self.list(daysOfWeek, of: .dayOfWeek, steps: false, any: false)
        return "\(minute) \(hour) \(day) \(Self.list(months, of: .month, steps: true)) \(weekday)"
    }

    private var timesText: (minute: String, hour: String) {
        var minute = Self.list(minutes, of: .minute, steps: followsClock)
        let hour = Self.list(hours, of: .hour, steps: followsClock)
        if followsClock, !(minute + hour).contains(where: { $0 == "*" || $0 == "/" }) {
            // Only a step says that it follows the clock; one of 1 says nothing else.
            let first = Bits.members(minutes).first ?? 0
            let others = minutes & ~(1 << UInt64(first))
            minute = "\(first)-\(first)/1" + (others == 0 ? "" : "," + Self.list(others, of: .minute, steps: false))
        }
        return (minute, hour)
    }

    private var daysOfMonthText: String {
        if anyDayOfMonth { return "*" }
        var parts: [String] = daysOfMonth == 0 ? [] : [Self.list(daysOfMonth, of: .dayOfMonth, steps: true, any: false)]
        parts += Bits.members(nearestWeekdays).map { "\($0)W" }
        parts += Bits.members(daysBeforeLast).reversed().map { $0 == 0 ? "L" : "L-\($0)" }
        if lastWeekday { parts.append("LW") }
        return parts.joined(separator: ",")
    }

    private var daysOfWeekText: String {
        if anyDayOfWeek { return "*" }
        var parts: [String] = daysOfWeek == 0 ? [] : [Self.list(daysOfWeek, of: .dayOfWeek, steps: true, any: false)]
        parts += Bits.members(ordinalDaysOfWeek).map { "\($0 % 7)#\($0 / 7 + 1)" }
        parts += Bits.members(lastDaysOfWeek).map { "\($0)L" }
        return parts.joined(separator: ",")
    }

    /// The values as a list, the longest series from the least value first. `any` allows `*` for all of them.
    private static func list(_ values: UInt64, of field: CronField, steps: Bool, any: Bool = true) -> String {
        let bounds = field.bounds
        if any, values == Bits.all(bounds) { return "*" }
        var rest = values
        var parts: [String] = []
        while let series = CronSeries(longestIn: rest, bounds: bounds, steps: steps) {
            parts.append(series.text(in: bounds))
            rest &= ~series.set
        }
        return parts.joined(separator: ",")
    }
}

/// Values at equal distances.
struct CronSeries {
    var first: Int
    var last: Int
    var step: Int

    /// The longest one that begins at the least value; nil for an empty set. Two values make one only if they go round
    /// evenly, as `*/30` does.
    init?(longestIn set: UInt64, bounds: ClosedRange<Int>, steps: Bool) {
        guard let first = Bits.first(in: set, from: 0) else { return nil }
        self.first = first
        last = first
        step = 1
        var longest = 2
        for candidate in 1...(steps ? max(1, bounds.count / 2) : 1) {
            var end = first
            while end + candidate < 64, set >> UInt64(end + candidate) & 1 == 1 { end += candidate }
            let length = (end - first) / candidate + 1
            let goesRound = first == bounds.lowerBound && 2 * candidate == bounds.count && candidate > 1
            if length > longest || (length == 2 && longest == 2 && goesRound) {
                longest = length
                (last, step) = (end, candidate)
            }
        }
    }

    var set: UInt64 {
        stride(from: first, through: last, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    func text(in bounds: ClosedRange<Int>) -> String {
        if first == last { return "\(first)" }
        if step == 1 { return "\(first)-\(last)" }
        if last + step <= bounds.upperBound { return "\(first)-\(last)/\(step)" }
        return first == bounds.lowerBound ? "*/\(step)" : "\(first)/\(step)"
    }
}
