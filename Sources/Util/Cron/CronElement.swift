/// What the elements of one field's list add up to.
struct CronElement {
    var values: UInt64 = 0
    var isAny = false
    var hasStep = false
    var daysBeforeLast: UInt64 = 0
    var nearestWeekdays: UInt64 = 0
    var lastWeekday = false
    var ordinalDaysOfWeek: UInt64 = 0
    var lastDaysOfWeek: UInt64 = 0

    /// Adds every so many values of a range, which may go on behind the field's greatest value.
    mutating func add(_ range: ClosedRange<Int>, step: Int, in field: CronField) {
        let bounds = field.bounds
        if step == 1, range.upperBound <= bounds.upperBound {
            values |= Bits.all(range)
            return
        }
        var value = range.lowerBound
        while value <= range.upperBound {
            values |= 1 << UInt64(value > bounds.upperBound ? value - bounds.count : value)
            value += step
        }
    }
}

extension CronFields {
    mutating func set(_ field: CronField, _ element: CronElement) {
        switch field {
        case .second:
            seconds = element.values
        case .minute:
            minutes = element.values
            followsClock = followsClock || element.hasStep || minutes == Bits.all(field.bounds)
        case .hour:
            hours = element.values
            followsClock = followsClock || element.hasStep || hours == Bits.all(field.bounds)
        case .month:
            months = element.values
        case .dayOfMonth:
            daysOfMonth = element.values
            anyDayOfMonth = element.isAny
            // Beside any day, special ones say nothing.
            guard !element.isAny else { return }
            daysBeforeLast = element.daysBeforeLast
            nearestWeekdays = element.nearestWeekdays
            lastWeekday = element.lastWeekday
        case .dayOfWeek:
            daysOfWeek = element.values
            anyDayOfWeek = element.isAny
            guard !element.isAny else { return }
            ordinalDaysOfWeek = element.ordinalDaysOfWeek
            lastDaysOfWeek = element.lastDaysOfWeek
        }
    }
}
