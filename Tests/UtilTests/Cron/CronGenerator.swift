import TestSupport

/// Random expressions, as text and as what they mean by naive reckoning.
struct CronGenerator {
    var random: SeededGenerator

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

    /// An expression of five fields, or of six.
    mutating func expression(seconds: Bool = false) -> (text: String, fields: CronOracle.Fields) {
        var fields = CronOracle.Fields()
        var texts: [String] = []
        if seconds {
            let second = field(0, 59, any: 30)
            fields.seconds = second.values
            texts.append(second.text)
        }
        // Many runs at few of the day's times, where clocks change.
        let minute = field(0, 59, any: 15)
        let hour = field(0, 23, any: 20)
        let month = field(1, 12, any: 80, names: Self.months)
        fields.minutes = minute.values
        fields.hours = hour.values
        fields.months = month.values
        fields.followsClock = minute.isStepped || hour.isStepped || minute.values.count == 60 || hour.values.count == 24
        let monthDay = dayOfMonth(&fields)
        let weekDay = dayOfWeek(&fields)
        texts += [minute.text, hour.text, monthDay, month.text, weekDay]
        return (texts.joined(separator: chance(95) ? " " : " \t "), fields)
    }

    private static let months = ["JAN", "feb", "Mar", "APR", "MAY", "JUN", "jul", "AUG", "SEP", "OCT", "NOV", "DEC"]
    private static let days = ["SUN", "mon", "Tue", "WED", "THU", "FRI", "sat"]

    private struct Field {
        var text = ""
        var values: Set<Int> = []
        var isStepped = false
        var isAny = false
    }

    private mutating func field(_ low: Int, _ high: Int, any: Int, names: [String] = []) -> Field {
        var result = Field()
        if chance(any) {
            result.text = chance(80) ? "*" : chance(50) ? "?" : "*/1"
            result.values = Set(low...high)
            result.isStepped = true
            result.isAny = true
            return result
        }
        var texts: [String] = []
        for _ in 0..<(chance(70) ? 1 : number(2...4)) {
            let (text, values, isStepped, isAny) = element(low, high, names: names)
            texts.append(text)
            result.values.formUnion(values)
            result.isStepped = result.isStepped || isStepped
            result.isAny = result.isAny || isAny
        }
        result.text = texts.joined(separator: ",")
        return result
    }

    private mutating func element(
        _ low: Int,
        _ high: Int,
        names: [String]
    ) -> (text: String, values: Set<Int>, isStepped: Bool, isAny: Bool) {
        func written(_ value: Int, _ generator: inout CronGenerator) -> String {
            if !names.isEmpty, generator.chance(40) { return names[(value - low) % names.count] }
            return generator.chance(5) ? "0\(value)" : "\(value)"
        }
        let first = number(low...high)
        let last = number(low...high)
        // Round the field's end, as on a dial.
        let count = high - low + 1
        let round = (0...((last - first + count) % count)).map { (first - low + $0) % count + low }
        let step = number(1...(chance(80) ? 12 : 90))
        switch number(1...10) {
        case 1...4:
            return (written(first, &self), [first], false, false)
        case 5, 6:
            return ("\(written(first, &self))-\(written(last, &self))", Set(round), false, false)
        case 7:
            let values = stride(from: 0, to: round.count, by: step).map { round[$0] }
            return ("\(written(first, &self))-\(written(last, &self))/\(step)", Set(values), true, false)
        case 8:
            return ("\(written(first, &self))/\(step)", Set(stride(from: first, through: high, by: step)), true, false)
        default:
            return ("*/\(step)", Set(stride(from: low, through: high, by: step)), true, step == 1)
        }
    }

    private mutating func dayOfMonth(_ fields: inout CronOracle.Fields) -> String {
        let plain = field(1, 31, any: 60)
        fields.daysOfMonth = plain.values
        fields.anyDayOfMonth = plain.isAny
        guard chance(20) else { return plain.text }
        let special: String
        switch number(1...4) {
        case 1:
            fields.daysBeforeLast.insert(0)
            special = "L"
        case 2:
            let before = number(1...30)
            fields.daysBeforeLast.insert(before)
            special = "L-\(before)"
        case 3:
            let day = number(1...31)
            fields.nearestWeekdays.insert(day)
            special = "\(day)W"
        default:
            fields.lastWeekday = true
            special = "LW"
        }
        guard chance(70) else { return "\(special),\(plain.text)" }
        (fields.daysOfMonth, fields.anyDayOfMonth) = ([], false)
        return special
    }

    private mutating func dayOfWeek(_ fields: inout CronOracle.Fields) -> String {
        let plain = field(0, 6, any: 60, names: Self.days)
        fields.daysOfWeek = plain.values
        fields.anyDayOfWeek = plain.isAny
        guard chance(20) else { return plain.text }
        let weekday = number(0...7)
        let written = weekday < 7 && chance(40) ? Self.days[weekday] : "\(weekday)"
        let special: String
        if chance(50) {
            let ordinal = number(1...5)
            fields.ordinals.append((weekday % 7, ordinal))
            special = "\(written)#\(ordinal)"
        } else {
            fields.lastWeekdays.insert(weekday % 7)
            special = written + "L"
        }
        guard chance(70) else { return "\(special),\(plain.text)" }
        (fields.daysOfWeek, fields.anyDayOfWeek) = ([], false)
        return special
    }
}
