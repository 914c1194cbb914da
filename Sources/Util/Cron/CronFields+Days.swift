extension CronFields {
    /// The days that fit in a month of some length whose first day is some day of the week (0 = Sunday).
    func days(length: Int, firstDayOfWeek first: Int) -> UInt64 {
        let all = Bits.all(1...length)
        let byMonth = daysByMonth(length: length, firstDayOfWeek: first)
        let byWeek = daysByWeek(length: length, firstDayOfWeek: first)
        return all & (anyDayOfMonth || anyDayOfWeek ? byMonth & byWeek : byMonth | byWeek)
    }

    private func daysByMonth(length: Int, firstDayOfWeek first: Int) -> UInt64 {
        var days = daysOfMonth
        guard hasSpecialDaysOfMonth else { return days }
        for before in Bits.members(daysBeforeLast) where before < length {
            days |= 1 << UInt64(length - before)
        }
        for day in Bits.members(nearestWeekdays) where day <= length {
            let nearest =
                switch (first + day - 1) % 7 {
                case 6: day > 1 ? day - 1 : 3
                case 0: day < length ? day + 1 : day - 2
                default: day
                }
            days |= 1 << UInt64(nearest)
        }
        if lastWeekday {
            let back =
                switch (first + length - 1) % 7 {
                case 6: 1
                case 0: 2
                default: 0
                }
            days |= 1 << UInt64(length - back)
        }
        return days
    }

    private func daysByWeek(length: Int, firstDayOfWeek first: Int) -> UInt64 {
        // Bit 0 is the month's first day, then the week repeats.
        let doubled = daysOfWeek | daysOfWeek << 7
        let week = (doubled >> UInt64(first)) & 0x7F
        var days = week * 0x1020_4081
        for bit in Bits.members(ordinalDaysOfWeek) {
            days |= 1 << UInt64((bit % 7 - first + 7) % 7 + bit / 7 * 7)
        }
        for weekday in Bits.members(lastDaysOfWeek) {
            let lastOfMonth = (first + length - 1) % 7
            days |= 1 << UInt64(length - 1 - (lastOfMonth - weekday + 7) % 7)
        }
        return days << 1
    }

    /// Whether any day of the calendar fits.
    ///
    /// Every month begins on every day of the week in some year, 29-day Februaries too, within the calendar's cycle of
    /// 400 years.
    var everFires: Bool {
        for month in Bits.members(months) {
            let shortest = MonthLength.of(month, inLeapYear: false)
            let lengths = shortest...MonthLength.of(month, inLeapYear: true)
            for length in lengths {
                for first in 0..<7 where days(length: length, firstDayOfWeek: first) != 0 { return true }
            }
        }
        return false
    }
}

/// How long the Gregorian calendar's months are.
enum MonthLength {
    static func of(_ month: Int, inLeapYear isLeap: Bool) -> Int {
        switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}
