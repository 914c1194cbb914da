extension CronExpression {
    /// The meaning in English: "every 15 minutes from 09:00 to 17:59 on Monday to Friday (UTC)".
    public func describe() -> String {
        switch rule {
        case .every(let period):
            return "every \(English.duration(period)), counted from 1970-01-01 00:00 UTC"
        case .fields(let fields):
            let parts = [fields.timesInEnglish, fields.daysInEnglish, fields.monthsInEnglish]
            return parts.compactMap(\.self).joined(separator: " ") + " (\(zone.name))"
        }
    }
}

/// Pieces of English sentences.
enum English {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    static let ordinals = ["first", "second", "third", "fourth", "fifth"]

    /// "a, b and c".
    static func list(_ items: [String], _ conjunction: String = "and") -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
    }

    /// The members with three or more in a row as "a to b".
    static func values(_ set: UInt64, _ name: (Int) -> String = { "\($0)" }) -> String {
        var items: [String] = []
        var rest = set
        while let first = Bits.first(in: rest, from: 0) {
            let length = (~(rest >> UInt64(first))).trailingZeroBitCount
            let last = length >= 3 ? first + length - 1 : first
            items.append(last > first ? "\(name(first)) to \(name(last))" : name(first))
            rest &= ~Bits.all(first...last)
        }
        return list(items)
    }

    /// "second", "2nd", "3rd", "11th".
    static func ordinal(_ number: Int) -> String {
        let isTeen = (11...13).contains(number % 100)
        let ending =
            switch number % 10 {
            case 1 where !isTeen: "st"
            case 2 where !isTeen: "nd"
            case 3 where !isTeen: "rd"
            default: "th"
            }
        return "\(number)\(ending)"
    }

    /// "1 hour 30 minutes"; "hour" for one of a kind.
    static func duration(_ seconds: Int64) -> String {
        let parts = [(seconds / 3600, "hour"), (seconds / 60 % 60, "minute"), (seconds % 60, "second")]
            .filter { $0.0 > 0 }
        guard parts.count > 1 || parts.first?.0 != 1 else { return parts.first?.1 ?? "" }
        return parts.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: " ")
    }

    static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
