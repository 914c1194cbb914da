/// Searches among local times, in seconds since 1970-01-01T00:00 on the local clock; zones are none of its business.
extension CronFields {
    /// Beyond these years there is no ``Timestamp``.
    private static let years = 1676...2263

    /// The first local time that fits, from the given one on.
    func firstLocalTime(from time: Int64) -> Int64? {
        let (day, second) = floorDivide(time, 86_400)
        guard let month = Month(containingDay: day) else { return nil }
        if months >> UInt64(month.month) & 1 == 1, contains(day: month.dayOfMonth(day), of: month),
            let found = firstSecondOfDay(from: Int(second))
        {
            return day * 86_400 + found
        }
        return firstDay(from: month.dayOfMonth(day) + 1, in: month).map { $0 * 86_400 + firstSecond }
    }

    /// The last local time that fits, up to the given one.
    func lastLocalTime(upTo time: Int64) -> Int64? {
        let (day, second) = floorDivide(time, 86_400)
        guard let month = Month(containingDay: day) else { return nil }
        if months >> UInt64(month.month) & 1 == 1, contains(day: month.dayOfMonth(day), of: month),
            let found = lastSecondOfDay(upTo: Int(second))
        {
            return day * 86_400 + found
        }
        return lastDay(upTo: month.dayOfMonth(day) - 1, in: month).map { $0 * 86_400 + lastSecond }
    }

    private func contains(day: Int, of month: Month) -> Bool {
        days(length: month.length, firstDayOfWeek: month.firstDayOfWeek) >> UInt64(day) & 1 == 1
    }

    private func firstDay(from dayOfMonth: Int, in start: Month) -> Int64? {
        var month = start
        var from = dayOfMonth
        while month.year <= Self.years.upperBound {
            if months >> UInt64(month.month) & 1 == 1 {
                let days = days(length: month.length, firstDayOfWeek: month.firstDayOfWeek)
                if let found = Bits.first(in: days, from: from) { return month.firstDay + Int64(found - 1) }
            }
            month.advance()
            from = 1
        }
        return nil
    }

    private func lastDay(upTo dayOfMonth: Int, in start: Month) -> Int64? {
        var month = start
        var upTo = dayOfMonth
        while month.year >= Self.years.lowerBound {
            if months >> UInt64(month.month) & 1 == 1 {
                let days = days(length: month.length, firstDayOfWeek: month.firstDayOfWeek)
                if let found = Bits.last(in: days, upTo: upTo) { return month.firstDay + Int64(found - 1) }
            }
            month.goBack()
            upTo = 31
        }
        return nil
    }

    // MARK: Within a day

    private var firstSecond: Int64 {
        Int64(hours.trailingZeroBitCount * 3600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount)
    }

    private var lastSecond: Int64 {
        Int64(
            (63 - hours.leadingZeroBitCount) * 3600 + (63 - minutes.leadingZeroBitCount) * 60
                + (63 - seconds.leadingZeroBitCount)
        )
    }

    private func firstSecondOfDay(from time: Int) -> Int64? {
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
        if hours >> UInt64(hour) & 1 == 1 {
            if minutes >> UInt64(minute) & 1 == 1, let second = Bits.first(in: seconds, from: second) {
                return Int64(hour * 3600 + minute * 60 + second)
            }
            if let minute = Bits.first(in: minutes, from: minute + 1) {
                return Int64(hour * 3600 + minute * 60 + seconds.trailingZeroBitCount)
            }
        }
        return Bits.first(in: hours, from: hour + 1).map {
            Int64($0 * 3600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount)
        }
    }

    private func lastSecondOfDay(upTo time: Int) -> Int64? {
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
        if hours >> UInt64(hour) & 1 == 1 {
            if minutes >> UInt64(minute) & 1 == 1, let second = Bits.last(in: seconds, upTo: second) {
                return Int64(hour * 3600 + minute * 60 + second)
            }
            if let minute = Bits.last(in: minutes, upTo: minute - 1) {
                return Int64(hour * 3600 + minute * 60 + 63 - seconds.leadingZeroBitCount)
            }
        }
        return Bits.last(in: hours, upTo: hour - 1).map {
            Int64($0 * 3600 + (63 - minutes.leadingZeroBitCount) * 60 + 63 - seconds.leadingZeroBitCount)
        }
    }
}

/// A month of the Gregorian calendar.
private struct Month {
    var year: Int
    var month: Int
    var length: Int
    /// In days since 1970.
    var firstDay: Int64
    /// 0 = Sunday.
    var firstDayOfWeek: Int

    /// Nil for days that no timestamp reaches.
    init?(containingDay day: Int64) {
        guard (-110_000...110_000).contains(day) else { return nil }
        let date = CivilDate(daysSince1970: day)
        year = Int(date.year)
        month = Int(date.month)
        length = MonthLength.of(month, inLeapYear: MonthLength.isLeap(year))
        firstDay = day - date.day + 1
        // 1970 began on a Thursday.
        firstDayOfWeek = Int(floorDivide(firstDay + 4, 7).remainder)
    }

    func dayOfMonth(_ day: Int64) -> Int { Int(day - firstDay) + 1 }

    mutating func advance() {
        firstDay += Int64(length)
        firstDayOfWeek = (firstDayOfWeek + length) % 7
        month += 1
        if month == 13 {
            month = 1
            year += 1
        }
        length = MonthLength.of(month, inLeapYear: MonthLength.isLeap(year))
    }

    mutating func goBack() {
        month -= 1
        if month == 0 {
            month = 12
            year -= 1
        }
        length = MonthLength.of(month, inLeapYear: MonthLength.isLeap(year))
        firstDay -= Int64(length)
        firstDayOfWeek = (firstDayOfWeek + 35 - length) % 7
    }
}
