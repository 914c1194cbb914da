@testable import Util

/// What robfig/cron (1.1 and 3.0) does with five plain fields, reckoned step by step as its `SpecSchedule.Next` does and with
/// Go's rules for local times, to be compared with.
struct RobfigOracle {
    private var minute: Set<Int64> = []
    private var hour: Set<Int64> = []
    private var day: Set<Int64> = []
    private var month: Set<Int64> = []
    private var weekday: Set<Int64> = []
    private var dayIsAny = false
    private var weekdayIsAny = false
    private let zone: TimeZoneRules

    /// Nil for what it refuses to read: wrapping ranges, names of ours, other numbers of fields.
    init?(_ text: String, zone: TimeZoneRules) {
        self.zone = zone
        let fields = text.split(separator: " ").map(String.init)
        guard fields.count == 5, let minute = Self.field(fields[0], 0...59), let hour = Self.field(fields[1], 0...23),
            let day = Self.field(fields[2], 1...31), let month = Self.field(fields[3], 1...12),
            let weekday = Self.field(fields[4], 0...6)
        else { return nil }
        (self.minute, self.hour, self.day) = (minute.values, hour.values, day.values)
        (self.month, self.weekday) = (month.values, weekday.values)
        (dayIsAny, weekdayIsAny) = (day.isAny, weekday.isAny)
    }

    private static func field(_ text: String, _ bounds: ClosedRange<Int64>) -> (values: Set<Int64>, isAny: Bool)? {
        var values: Set<Int64> = []
        var isAny = false
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
            var (low, high) = (bounds.lowerBound, bounds.upperBound)
            if halves[0] == "*" {
                isAny = true
            } else {
                guard ends.count <= 2, let first = Int64(ends[0]), let last = Int64(ends[ends.count - 1]) else {
                    return nil
                }
                (low, high) = (first, last)
            }
            var step: Int64 = 1
            if halves.count > 1 {
                guard halves.count == 2, let number = Int64(halves[1]), number > 0 else { return nil }
                step = number
                if ends.count == 1 { high = bounds.upperBound }
            }
            guard low >= bounds.lowerBound, high <= bounds.upperBound, low <= high else { return nil }
            values.formUnion(stride(from: low, through: high, by: Int(step)))
        }
        return (values, isAny)
    }

    /// The first run after a time in seconds since 1970; nil when none is found within five years.
    func next(after time: Int64) -> Int64? {
        var t = GoTime(unix: time + 1, zone: zone)
        var isAdded = false
        let lastYear = t.date.year + 5
        wrap: while t.date.year <= lastYear {
            while !month.contains(t.date.month) {
                if !isAdded { t = GoTime(year: t.date.year, month: t.date.month, day: 1, hour: 0, zone: zone) }
                isAdded = true
                t = t.adding(months: 1)
                if t.date.month == 1 { continue wrap }
            }
            while !fits(t) {
                if !isAdded { t = GoTime(year: t.date.year, month: t.date.month, day: t.date.day, hour: 0, zone: zone) }
                isAdded = true
                t = t.adding(days: 1)
                if t.hour != 0 { t = t.adding(seconds: (t.hour > 12 ? 24 - t.hour : -t.hour) * 3600) }
                if t.date.day == 1 { continue wrap }
            }
            while !hour.contains(t.hour) {
                if !isAdded {
                    t = GoTime(year: t.date.year, month: t.date.month, day: t.date.day, hour: t.hour, zone: zone)
                }
                isAdded = true
                t = t.adding(seconds: 3600)
                if t.hour == 0 { continue wrap }
            }
            while !minute.contains(t.minute) {
                if !isAdded { t = t.adding(seconds: -t.second) }
                isAdded = true
                t = t.adding(seconds: 60)
                if t.minute == 0 { continue wrap }
            }
            while t.second != 0 {
                isAdded = true
                t = t.adding(seconds: 1)
                if t.second == 0 { continue wrap }
            }
            return t.unix
        }
        return nil
    }

    private func fits(_ t: GoTime) -> Bool {
        let (byDay, byWeekday) = (day.contains(t.date.day), weekday.contains(t.weekday))
        return dayIsAny || weekdayIsAny ? byDay && byWeekday : byDay || byWeekday
    }
}

/// A time in a zone, as Go's `time.Time` reckons.
private struct GoTime {
    let unix: Int64
    let zone: TimeZoneRules

    init(unix: Int64, zone: TimeZoneRules) {
        self.unix = unix
        self.zone = zone
    }

    /// As `time.Date`: what clocks leave out or repeat is reckoned with one of the two offsets.
    init(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64 = 0, second: Int64 = 0, zone: TimeZoneRules)
    {
        let (years, rest) = floorDivide(month - 1, 12)
        let days = CivilDate(year: year + years, month: rest + 1, day: 1).daysSince1970 + day - 1
        let local = days * 86_400 + hour * 3600 + minute * 60 + second
        let stretch = zone.stretch(at: local)
        var offset = zone.offsets[stretch]
        let unix = local - offset
        if unix < zone.starts[stretch] || unix >= zone.end(of: stretch) {
            offset = zone.offsets[zone.stretch(at: unix)]
        }
        self.init(unix: local - offset, zone: zone)
    }

    private var local: Int64 { unix + zone.offset(atSecondsSince1970: unix) }
    var date: CivilDate { CivilDate(daysSince1970: floorDivide(local, 86_400).quotient) }
    private var secondOfDay: Int64 { floorDivide(local, 86_400).remainder }
    var hour: Int64 { secondOfDay / 3600 }
    var minute: Int64 { secondOfDay / 60 % 60 }
    var second: Int64 { secondOfDay % 60 }
    var weekday: Int64 { floorDivide(floorDivide(local, 86_400).quotient + 4, 7).remainder }

    func adding(seconds: Int64) -> GoTime { GoTime(unix: unix + seconds, zone: zone) }

    /// As `AddDate`: the same clock on another date.
    func adding(months: Int64 = 0, days: Int64 = 0) -> GoTime {
        GoTime(
            year: date.year,
            month: date.month + months,
            day: date.day + days,
            hour: hour,
            minute: minute,
            second: second,
            zone: zone
        )
    }
}
