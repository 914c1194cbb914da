/// The rule by which a zone goes on after its last listed change: POSIX' `TZ` text, as in a TZif file's footer
/// (RFC 9636, 3.3), such as "CET-1CEST,M3.5.0,M10.5.0/3".
struct POSIXTimeZone {
    /// A day of every year, and when on it the clocks change, in seconds after its midnight (before it when negative).
    struct Change: Equatable {
        enum Day: Equatable {
            /// Of a month (1–12), the weekday (0 = Sunday) in its week (1–5, 5 = the last).
            case weekday(month: Int64, week: Int64, weekday: Int64)
            /// 1–365; 29 February is never counted.
            case julian(Int64)
            /// 0–365; 29 February counts.
            case zeroBased(Int64)
        }
        var day: Day
        var time: Int64
    }

    /// Seconds ahead of UTC.
    var standardOffset: Int64
    /// The other offset, and when it begins and ends; what is called daylight time may lie behind (Ireland's winter).
    var daylight: (offset: Int64, begin: Change, end: Change)?

    /// Reads the text; nil when it isn't one that a TZif file may hold.
    init?(_ text: some Sequence<UInt8>) {
        var scanner = Scanner(bytes: Array(text))
        guard scanner.skipName(), let west = scanner.offset(hours: 24) else { return nil }
        standardOffset = -west
        if scanner.isAtEnd { return }
        guard scanner.skipName() else { return nil }
        var offset = standardOffset + 3600
        if scanner.peek != UInt8(ascii: ",") {
            guard let west = scanner.offset(hours: 24) else { return nil }
            offset = -west
        }
        guard scanner.skip(","), let begin = scanner.change(), scanner.skip(","), let end = scanner.change(),
            scanner.isAtEnd
        else { return nil }
        daylight = (offset, begin, end)
    }

    /// The changes of a year, in order.
    func changes(inYear year: Int64) -> [(time: Int64, offset: Int64)] {
        guard let daylight else { return [] }
        // Both are given in the local time that holds until then. Where daylight time lasts all year, its end is the
        // next year's begin, and the begin is to come last.
        let begin = (time: daylight.begin.localTime(inYear: year) - standardOffset, offset: daylight.offset)
        let end = (time: daylight.end.localTime(inYear: year) - daylight.offset, offset: standardOffset)
        return begin.time < end.time ? [begin, end] : [end, begin]
    }
}

extension POSIXTimeZone.Change {
    /// When the change is in a year, in local seconds.
    func localTime(inYear year: Int64) -> Int64 {
        let newYear = CivilDate(year: year, month: 1, day: 1).daysSince1970
        let date: Int64
        switch day {
        case .zeroBased(let number):
            date = newYear + number
        case .julian(let number):
            let isLeap = CivilDate(year: year, month: 2, day: 29).isValid
            date = newYear + number - (isLeap && number >= 60 ? 0 : 1)
        case .weekday(let month, let week, let weekday):
            let first = CivilDate(year: year, month: month, day: 1).daysSince1970
            let next =
                month == 12
                ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: month + 1, day: 1)
            // 1970 began on a Thursday.
            var day = first + floorDivide(weekday - (first + 4), 7).remainder + 7 * (week - 1)
            if day >= next.daysSince1970 { day -= 7 }
            date = day
        }
        return date * 86_400 + time
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Letters, or anything between angle brackets.
    mutating func skipName() -> Bool {
        let isQuoted = skip("<")
        let start = position
        while let byte = peek {
            let isLetter = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & ~0x20)
            let isDigitOrSign = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == 0x2B || byte == 0x2D
            guard isLetter || (isQuoted && isDigitOrSign) else { break }
            position += 1
        }
        return position - start >= 3 && (!isQuoted || skip(">"))
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
        var value: Int64 = 0
        let start = position
        while position - start < 3, let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            position += 1
        }
        return position > start && range.contains(value) ? value : nil
    }

    /// `[+-]hh[:mm[:ss]]`, in seconds.
    mutating func offset(hours: Int64) -> Int64? {
        let sign: Int64 = skip("-") ? -1 : 1
        if sign > 0 { _ = skip("+") }
        guard let hour = number(0...hours) else { return nil }
        var seconds = hour * 3600
        if skip(":") {
            guard let minute = number(0...59) else { return nil }
            seconds += minute * 60
            if skip(":") {
                guard let second = number(0...59) else { return nil }
                seconds += second
            }
        }
        return sign * seconds
    }

    /// A day, and the time after `/` (02:00 without one; version 3 allows a week either way).
    mutating func change() -> POSIXTimeZone.Change? {
        let day: POSIXTimeZone.Change.Day
        if skip("M") {
            guard let month = number(1...12), skip("."), let week = number(1...5), skip("."),
                let weekday = number(0...6)
            else { return nil }
            day = .weekday(month: month, week: week, weekday: weekday)
        } else if skip("J") {
            guard let number = number(1...365) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(0...365) else { return nil }
            day = .zeroBased(number)
        }
        guard skip("/") else { return POSIXTimeZone.Change(day: day, time: 7200) }
        return offset(hours: 167).map { POSIXTimeZone.Change(day: day, time: $0) }
    }
}
