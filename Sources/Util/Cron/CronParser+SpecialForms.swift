/// The forms that only some fields have.
extension CronParser {
    /// Reads `H`, `H/15`, `H(0-29)`, `H(0-29)/10`; false when it is the begin of a word.
    mutating func spread(
        over field: CronField,
        upTo end: Int,
        into element: inout CronElement
    ) throws(CronError) -> Bool {
        let start = position
        guard position + 1 == end || !isLetter(bytes[position + 1]) else { return false }
        position += 1
        var range = field.spread
        if position < end, bytes[position] == UInt8(ascii: "(") {
            position += 1
            let low = try value(of: field, upTo: end)
            guard position < end, bytes[position] == UInt8(ascii: "-") else {
                throw unexpected(position..<end, in: field)
            }
            position += 1
            let high = try value(of: field, upTo: end)
            guard position < end, bytes[position] == UInt8(ascii: ")") else {
                throw position == end
                    ? error(.malformed, at: end, "the ) of H( is missing in the \(field.name)")
                    : unexpected(position..<end, in: field)
            }
            position += 1
            range = low...(high < low ? high + field.bounds.count : high)
        }
        let step = try step(of: field, upTo: end)
        guard let seed else {
            throw error(.seedMissing, at: start, "H chooses by a bot's id, and there is none here: write a number")
        }
        let hash = CronSpread.value(seed: seed, field: field)
        let choices = min(range.count, step ?? range.count)
        let first = range.lowerBound + Int(hash % UInt64(choices))
        if let step {
            element.hasStep = true
            element.add(first...range.upperBound, step: step, in: field)
        } else {
            element.add(first...first, step: 1, in: field)
        }
        return true
    }

    /// Reads `L`, `LW` or `L-3`.
    mutating func daysBeforeLast(upTo end: Int, into element: inout CronElement) throws(CronError) {
        position += 1
        if position < end, bytes[position] & ~0x20 == UInt8(ascii: "W") {
            position += 1
            element.lastWeekday = true
            return
        }
        guard position < end, bytes[position] == UInt8(ascii: "-") else {
            element.daysBeforeLast |= 1
            return
        }
        position += 1
        let start = position
        guard let before = digits(upTo: end) else { throw unexpected(start..<end, in: .dayOfMonth) }
        guard (1...30).contains(before) else {
            throw error(
                .outOfRange,
                at: start,
                "L-\(quoted(start..<position).dropFirst().dropLast()) is no day: allowed are L-1 to L-30"
            )
        }
        element.daysBeforeLast |= 1 << UInt64(before)
    }

    /// Reads what follows a day in `15W`, `5L` and `5#3`; false when nothing of that kind does.
    mutating func special(
        day: Int,
        of field: CronField,
        upTo end: Int,
        into element: inout CronElement
    ) throws(CronError) -> Bool {
        guard position < end else { return false }
        switch (field, bytes[position]) {
        case (.dayOfMonth, UInt8(ascii: "W")), (.dayOfMonth, UInt8(ascii: "w")):
            position += 1
            element.nearestWeekdays |= 1 << UInt64(day)
        case (.dayOfWeek, UInt8(ascii: "L")), (.dayOfWeek, UInt8(ascii: "l")):
            position += 1
            element.lastDaysOfWeek |= 1 << UInt64(day % 7)
        case (.dayOfWeek, UInt8(ascii: "#")):
            position += 1
            let place = position
            guard let ordinal = digits(upTo: end), (1...5).contains(ordinal) else {
                throw error(
                    position > place ? .outOfRange : .malformed,
                    at: place,
                    "after # stands which one of the month: allowed are 1 to 5"
                )
            }
            element.ordinalDaysOfWeek |= 1 << UInt64(7 * (ordinal - 1) + day % 7)
        default:
            return false
        }
        return true
    }
}
