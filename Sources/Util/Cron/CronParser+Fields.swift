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

        let low = try value(of: field, upTo: end)
        if try special(day: low, of: field, upTo: end, into: &element) { return }
        if position < end, bytes[position] == UInt8(ascii: "-") {
            position += 1
            let high = try value(of: field, upTo: end)
            // What wraps is read as going on behind the greatest value.
            let range = low...(high < low ? high + field.bounds.count : high)
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
    mutating func value(of field: CronField, upTo end: Int) throws(CronError) -> Int {
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
    mutating func step(of field: CronField, upTo end: Int) throws(CronError) -> Int? {
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
    mutating func digits(upTo end: Int) -> Int? {
        let start = position
        var number = 0
        while position < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            number = min(number * 10 + Int(bytes[position] - UInt8(ascii: "0")), 1_000_000)
            position += 1
        }
        return position > start ? number : nil
    }

    func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & ~0x20)
    }

    func unexpected(_ range: Range<Int>, in field: CronField) -> CronError {
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
