/// One field: a list of values, ranges, steps and the day fields' special forms.
extension CronParser {
    mutating func read(_ field: CronField, in word: Range<Int>, into fields: inout CronFields) throws(CronError) {
        var element = CronElement()
        var start = word.lowerBound
        while true {
            let end = bytes[start..<word.upperBound].firstIndex(of: UInt8(ascii: ",")) ?? word.upperBound
            guard end > start else {
                throw error(.malformed, at: start, "a value is missing in the list for the \(field.name)")
            }
            position = start
            try readElement(of: field, upTo: end, into: &element)
            guard position == end else { throw unexpected(position..<end, in: field) }
            guard end < word.upperBound else { break }
            start = end + 1
        }
        fields.set(field, element)
    }

    private mutating func readElement(of field: CronField, upTo end: Int, into element: inout CronElement)
        throws(CronError)
    {
        let byte = bytes[position]
        let range: ClosedRange<Int>
        if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") {
            position += 1
            let step = try step(of: field, upTo: end)
            element.isAny = element.isAny || step ?? 1 == 1
            element.hasStep = element.hasStep || step != nil
            element.add(field.bounds, step: step ?? 1, in: field)
            return
        }
        if byte & ~0x20 == UInt8(ascii: "H"), try spread(over: field, upTo: end, into: &element) { return }
        if field == .dayOfMonth, byte & ~0x20 == UInt8(ascii: "L") {
            return try daysBeforeLast(upTo: end, into: &element)
        }

        let start = position
        let low = try value(of: field, upTo: end)
        if try special(day: low, of: field, from: start, upTo: end, into: &element) { return }
        if position < end, bytes[position] == UInt8(ascii: "-") {
            position += 1
            let high = try value(of: field, upTo: end)
            // What wraps is read as going on behind the greatest value.
            range = low...(high < low ? high + field.bounds.count : high)
            let step = try step(of: field, upTo: end)
            element.hasStep = element.hasStep || step != nil
            element.add(range, step: step ?? 1, in: field)
        } else if let step = try step(of: field, upTo: end) {
            element.hasStep = true
            // Sunday as 7 begins a week as well as 0.
            let first = low % (field == .dayOfWeek ? 7 : 64)
            element.add(first...field.bounds.upperBound, step: step, in: field)
        } else {
            element.add(low...low, step: 1, in: field)
        }
    }

    /// Reads a number or a name.
    private mutating func value(of field: CronField, upTo end: Int) throws(CronError) -> Int {
        let start = position
        if let number = digits(upTo: end) {
            guard number >= field.bounds.lowerBound, number <= field.greatestWritten else {
                throw error(
                    .outOfRange,
                    at: start,
                    "\(quoted(start..<position)) is no \(field.name): allowed are \(field.allowed)"
                )
            }
            return number
        }
        var letters = start
        while letters < end, isLetter(bytes[letters]) { letters += 1 }
        guard letters > start else { throw unexpected(start..<end, in: field) }
        // "FRIL" is a name and a letter.
        if let value = field.value(ofName: bytes[start..<min(letters, start + 3)]) {
            let rest = bytes[min(letters, start + 3)..<letters]
            let isLast = field == .dayOfWeek && rest.count == 1 && rest.first.map { $0 & ~0x20 } == UInt8(ascii: "L")
            if rest.isEmpty || isLast {
                position = start + 3
                return value
            }
        }
        throw error(
            .unknownName,
            at: start,
            "\(quoted(start..<letters)) is no \(field.name): allowed are \(field.allowed)"
        )
    }

    /// Reads `/n`, if it is there.
    private mutating func step(of field: CronField, upTo end: Int) throws(CronError) -> Int? {
        guard position < end, bytes[position] == UInt8(ascii: "/") else { return nil }
        position += 1
        let start = position
        guard let step = digits(upTo: end) else {
            throw error(.malformed, at: start, "a step is missing after / in the \(field.name): a number from 1")
        }
        guard step > 0 else {
            throw error(.outOfRange, at: start, "a step of 0 in the \(field.name): allowed are numbers from 1")
        }
        return step
    }

    /// Reads digits; nil when there are none. What is too great for any field stays so.
    private mutating func digits(upTo end: Int) -> Int? {
        let start = position
        var number = 0
        while position < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            number = min(number * 10 + Int(bytes[position] - UInt8(ascii: "0")), 1_000_000)
            position += 1
        }
        return position > start ? number : nil
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & ~0x20)
    }

    private func unexpected(_ range: Range<Int>, in field: CronField) -> CronError {
        guard !range.isEmpty else {
            return error(.malformed, at: range.lowerBound, "a value is missing in the \(field.name)")
        }
        return error(
            .malformed,
            at: range.lowerBound,
            "\(quoted(range)) isn't understood in the \(field.name): allowed are \(field.allowed)"
        )
    }
}

// MARK: Special forms

extension CronParser {
    /// Reads `H`, `H/15`, `H(0-29)`, `H(0-29)/10`; false when it is the begin of a word.
    private mutating func spread(
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
    private mutating func daysBeforeLast(upTo end: Int, into element: inout CronElement) throws(CronError) {
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
    private mutating func special(
        day: Int,
        of field: CronField,
        from start: Int,
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
