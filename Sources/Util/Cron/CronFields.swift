/// What the fields of an expression say, as sets of bits: bit n for the value n.
struct CronFields: Hashable {
    var seconds: UInt64 = 1
    var minutes: UInt64 = 0
    var hours: UInt64 = 0
    var daysOfMonth: UInt64 = 0
    var months: UInt64 = 0
    var daysOfWeek: UInt64 = 0

    /// Days before a month's last: bit 0 for `L`, bit 3 for `L-3`.
    var daysBeforeLast: UInt64 = 0
    /// `15W`: the weekday (Monday to Friday) nearest to that day, within its month.
    var nearestWeekdays: UInt64 = 0
    /// `LW`: a month's last weekday.
    var lastWeekday = false
    /// `5#3`: bit 7 × (3 − 1) + 5 for the third Friday.
    var ordinalDaysOfWeek: UInt64 = 0
    /// `5L`: a month's last Friday.
    var lastDaysOfWeek: UInt64 = 0

    /// Whether a day field holds `*` or `?`: then a day must fit both fields, else one of them.
    var anyDayOfMonth = false
    var anyDayOfWeek = false
    /// Whether minute or hour have `*`, `?` or a step, or every value; see ``CronExpression`` on changes of clock.
    var followsClock = false

    /// Whether a day of the month is given in a form of its own.
    var hasSpecialDaysOfMonth: Bool { daysBeforeLast != 0 || nearestWeekdays != 0 || lastWeekday }
    var hasSpecialDaysOfWeek: Bool { ordinalDaysOfWeek != 0 || lastDaysOfWeek != 0 }
}

/// Sets of bits.
enum Bits {
    /// All values of a range.
    static func all(_ range: ClosedRange<Int>) -> UInt64 {
        (UInt64.max >> UInt64(63 - range.upperBound)) & (UInt64.max << UInt64(range.lowerBound))
    }

    /// The least member that isn't less than the value.
    static func first(in set: UInt64, from value: Int) -> Int? {
        let rest = value < 64 ? set & (UInt64.max << UInt64(value)) : 0
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// The greatest member that isn't more than the value.
    static func last(in set: UInt64, upTo value: Int) -> Int? {
        let rest = value >= 0 ? set & (UInt64.max >> UInt64(63 - value)) : 0
        return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
    }

    /// The members, in ascending order.
    static func members(_ set: UInt64) -> [Int] {
        var members: [Int] = []
        var rest = set
        while rest != 0 {
            members.append(rest.trailingZeroBitCount)
            rest &= rest - 1
        }
        return members
    }
}
