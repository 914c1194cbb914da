import Util

/// Cron by brute force, to hold the real one against: it looks at every step of the clock, and at dates one by one. It
/// shares no code with the implementation but the zones' offsets, which ``TimeZoneTests`` check.
struct CronOracle {
    /// One field as a plain set, and the days' own forms.
    struct Fields {
        var seconds: Set<Int> = [0]
        var minutes: Set<Int> = []
        var hours: Set<Int> = []
        var months: Set<Int> = []
        var daysOfMonth: Set<Int> = []
        var daysOfWeek: Set<Int> = []
        var daysBeforeLast: Set<Int> = []
        var nearestWeekdays: Set<Int> = []
        var lastWeekday = false
        var ordinals: [(weekday: Int, ordinal: Int)] = []
        var lastWeekdays: Set<Int> = []
        var anyDayOfMonth = false
        var anyDayOfWeek = false
        var followsClock = false
    }

    struct Date: Hashable {
        var year: Int
        var month: Int
        var day: Int
        /// 0 = Sunday.
        var weekday: Int

        /// 1970-01-01, a Thursday.
        static let first = Date(year: 1970, month: 1, day: 1, weekday: 4)

        static func length(_ year: Int, _ month: Int) -> Int {
            if month == 2 { return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28 }
            return [4, 6, 9, 11].contains(month) ? 30 : 31
        }

        /// Day by day; good enough from 1970 on.
        func tomorrow() -> Date {
            var next = self
            next.weekday = (weekday + 1) % 7
            next.day += 1
            if next.day > Self.length(year, month) {
                next.day = 1
                next.month += 1
                if next.month > 12 {
                    next.month = 1
                    next.year += 1
                }
            }
            return next
        }
    }

    /// Dates by their number since 1970, up to 2130.
    static let calendar: [Date] = {
        var dates = [Date.first]
        while let last = dates.last, last.year < 2130 { dates.append(last.tomorrow()) }
        return dates
    }()

    var fields: Fields

    func matches(_ date: Date) -> Bool {
        guard fields.months.contains(date.month) else { return false }
        let length = Date.length(date.year, date.month)
        var byMonth = fields.daysOfMonth.contains(date.day) || fields.daysBeforeLast.contains(length - date.day)
        for day in fields.nearestWeekdays where day <= length {
            byMonth = byMonth || nearestWeekday(to: day, in: date, length) == date.day
        }
        if fields.lastWeekday { byMonth = byMonth || nearestWeekday(to: length, in: date, length) == date.day }
        var byWeek = fields.daysOfWeek.contains(date.weekday)
        for (weekday, ordinal) in fields.ordinals {
            byWeek = byWeek || (weekday == date.weekday && (date.day + 6) / 7 == ordinal)
        }
        byWeek = byWeek || (fields.lastWeekdays.contains(date.weekday) && date.day + 7 > length)
        return fields.anyDayOfMonth || fields.anyDayOfWeek ? byMonth && byWeek : byMonth || byWeek
    }

    /// Of all weekdays of the month, the one least far away.
    private func nearestWeekday(to day: Int, in date: Date, _ length: Int) -> Int? {
        (1...length).filter { candidate in
            let weekday = (date.weekday + candidate - date.day + 70) % 7
            return weekday != 0 && weekday != 6
        }.min { abs($0 - day) < abs($1 - day) }
    }

    /// Whether a local time, in seconds since 1970, fits.
    func matches(local: Int, dates: inout [Int: Bool]) -> Bool {
        guard fields.seconds.contains(local % 60), fields.minutes.contains(local / 60 % 60),
            fields.hours.contains(local / 3600 % 24)
        else { return false }
        let day = local / 86_400
        if let known = dates[day] { return known }
        let result = matches(Self.calendar[day])
        dates[day] = result
        return result
    }

    /// The runs within a window of a clock that is looked at every step (60 s, or 1 s), given what it shows each time.
    func runs(start: Int, step: Int, shown: [Int]) -> [Int] {
        var dates: [Int: Bool] = [:]
        var runs: [Int] = []
        // What the clock showed first in the window counts as shown before, so the window begins with that much slack.
        var highest = shown[0]
        for (index, local) in shown.enumerated().dropFirst() {
            if fields.followsClock {
                if matches(local: local, dates: &dates) { runs.append(start + index * step) }
            } else if local > highest {
                // All that became due since the clock last showed something new.
                var due = highest + step
                var isDue = false
                while due <= local, !isDue {
                    isDue = matches(local: due, dates: &dates)
                    due += step
                }
                if isDue { runs.append(start + index * step) }
            }
            highest = max(highest, local)
        }
        return runs
    }
}
