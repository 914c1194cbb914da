extension CronFields {
    /// At what times of the day.
    var timesInEnglish: String {
        let times = minutes.nonzeroBitCount * hours.nonzeroBitCount
        if seconds.nonzeroBitCount == 1, times <= 6 { return clockTimes }
        if seconds == 1, minutes.nonzeroBitCount == 1 { return everyHour }
        let parts = [secondsInEnglish, minutesInEnglish, hoursInEnglish].compactMap(\.self)
        return parts.joined(separator: " ")
    }

    /// "at 09:00 and 17:00".
    private var clockTimes: String {
        let times = Bits.members(hours).flatMap { hour in
            Bits.members(minutes).map { "\(English.twoDigits(hour)):\(English.twoDigits($0))" }
        }
        let second = seconds.trailingZeroBitCount
        return "at " + English.list(times.map { second == 0 ? $0 : "\($0):\(English.twoDigits(second))" })
    }

    /// One minute of many hours.
    private var everyHour: String {
        let minute = minutes.trailingZeroBitCount
        let ofHour = minute == 0 ? "" : " at minute \(minute)"
        if hours == Bits.all(0...23) { return "every hour\(ofHour)" }
        if let step = Self.evenStep(hours, of: 24) { return "every \(step) hours\(ofHour)" }
        return "at " + English.values(hours) { "\(English.twoDigits($0)):\(English.twoDigits(minute))" }
    }

    private var secondsInEnglish: String? {
        if seconds == 1 { return nil }
        if seconds == Bits.all(0...59) { return "every second" }
        if let step = Self.evenStep(seconds, of: 60) { return "every \(step) seconds" }
        let ofMinute = minutes == Bits.all(0...59) ? " of every minute" : ""
        return Self.named(seconds, "second") + ofMinute
    }

    private var minutesInEnglish: String? {
        if minutes == Bits.all(0...59) { return seconds == 1 ? "every minute" : nil }
        let joint = seconds == 1 ? "" : "of "
        if let step = Self.evenStep(minutes, of: 60) {
            return seconds == 1 ? "every \(step) minutes" : "of every \(English.ordinal(step)) minute"
        }
        let named = Self.named(minutes, "minute")
        return (joint.isEmpty ? named : joint + named.dropFirst("at ".count))
            + (hours == Bits.all(0...23) ? " of every hour" : "")
    }

    private var hoursInEnglish: String? {
        if hours == Bits.all(0...23) { return nil }
        if let step = Self.evenStep(hours, of: 24) { return "of every \(English.ordinal(step)) hour" }
        guard let series = CronSeries(longestIn: hours, bounds: 0...23, steps: false), series.set == hours else {
            return "in the hours \(English.values(hours))"
        }
        return "from \(English.twoDigits(series.first)):00 to \(English.twoDigits(series.last)):59"
    }

    /// "at minutes 5, 10 and 15", "at every 7th minute from 0 to 56".
    private static func named(_ set: UInt64, _ unit: String) -> String {
        if set.nonzeroBitCount == 1 { return "at \(unit) \(set.trailingZeroBitCount)" }
        if let series = CronSeries(longestIn: set, bounds: 0...59, steps: true), series.set == set, series.step > 1 {
            return "at every \(English.ordinal(series.step)) \(unit) from \(series.first) to \(series.last)"
        }
        return "at \(unit)s \(English.values(set))"
    }

    /// The distance of values that go round evenly from 0, as `*/15` does.
    private static func evenStep(_ set: UInt64, of count: Int) -> Int? {
        guard set & 1 == 1, let second = Bits.first(in: set, from: 1), count % second == 0 else { return nil }
        let even: UInt64 = stride(from: 0, to: count, by: second).reduce(0) { $0 | 1 << UInt64($1) }
        return set == even && second > 1 ? second : nil
    }

    // MARK: Days

    /// On which days; nil for every day, unless it is worth saying.
    var daysInEnglish: String? {
        let week = daysOfWeekInEnglish
        let month = daysOfMonthInEnglish
        switch (anyDayOfMonth, anyDayOfWeek) {
        case (true, true):
            let isAtFewTimes = seconds.nonzeroBitCount == 1 && minutes.nonzeroBitCount * hours.nonzeroBitCount <= 6
            return isAtFewTimes ? "every day" : nil
        case (true, false): return week
        case (false, true): return month
        case (false, false): return "\(month) or \(week)"
        }
    }

    var monthsInEnglish: String? {
        months == Bits.all(1...12) ? nil : "in " + English.values(months) { English.months[$0 - 1] }
    }

    private var daysOfMonthInEnglish: String {
        var items: [String] = []
        if daysOfMonth != 0 {
            items.append("day\(daysOfMonth.nonzeroBitCount == 1 ? "" : "s") \(Self.days(daysOfMonth))")
        }
        items += Bits.members(nearestWeekdays).map { "the weekday nearest to day \($0)" }
        items += Bits.members(daysBeforeLast).reversed().map {
            switch $0 {
            case 0: "the last day"
            case 1: "the last day but one"
            default: "the \(English.ordinal($0)) day before the last"
            }
        }
        if lastWeekday { items.append("the last weekday") }
        return "on \(English.list(items)) of the month"
    }

    private static func days(_ set: UInt64) -> String {
        if let series = CronSeries(longestIn: set, bounds: 1...31, steps: true), series.set == set, series.step > 1,
            set.nonzeroBitCount > 4
        {
            return "\(series.first), \(series.first + series.step) and so on to \(series.last)"
        }
        return English.values(set)
    }

    private var daysOfWeekInEnglish: String {
        var items: [String] = []
        if daysOfWeek != 0 {
            // A week that begins on Monday, so that a weekend is one piece.
            let fromMonday = daysOfWeek & ~1 | (daysOfWeek & 1) << 7
            items.append(English.values(fromMonday) { English.days[$0 % 7] })
        }
        let ordinals = Bits.members(ordinalDaysOfWeek).map { "the \(English.ordinals[$0 / 7]) \(English.days[$0 % 7])" }
        let lasts = Bits.members(lastDaysOfWeek).map { "the last \(English.days[$0])" }
        let special = ordinals + lasts
        if !special.isEmpty { items.append("\(English.list(special)) of the month") }
        return "on \(English.list(items))"
    }
}
