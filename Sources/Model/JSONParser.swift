/// Where and why a text is not JSON.
public struct JSONSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what would have been allowed.
    public let message: String
    /// The byte, from 0, at which reading stopped.
    public let offset: Int

    /// The message with its place.
    public var description: String { "no valid JSON at byte \(offset): \(message)" }
}

extension JSONValue {
    /// Reads one JSON value (RFC 8259) from UTF-8 text.
    ///
    /// Of a key that comes twice in one object the last value counts, as in the parsers bots use.
    /// - Parameters:
    ///   - bytes: the text.
    ///   - depth: how deeply arrays and objects may be nested.
    /// - Throws: ``JSONSyntaxError`` with the byte at which the text stops being JSON.
    public static func parse(_ bytes: some Collection<UInt8>, depth: Int = 200) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(bytes: ContiguousArray(bytes), depthLimit: depth)
        return try parser.document()
    }

    /// Reads one JSON value (RFC 8259) from text.
    /// - Throws: ``JSONSyntaxError`` with the byte at which the text stops being JSON.
    public static func parse(_ text: String, depth: Int = 200) throws(JSONSyntaxError) -> JSONValue {
        try parse(text.utf8, depth: depth)
    }
}

private struct JSONParser {
    let bytes: ContiguousArray<UInt8>
    let depthLimit: Int
    var position = 0

    init(bytes: ContiguousArray<UInt8>, depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        let result = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("text after the value") }
        return result
    }

    private func failure(_ message: String) -> JSONSyntaxError { JSONSyntaxError(message: message, offset: position) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard let byte = next else { throw failure("a value was expected, the text ended") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: break
        }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if take("null") { return .null }
        throw failure("a value was expected")
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count else { return false }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] { return false }
        position += length
        return true
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= depthLimit else { throw failure("nested more than \(depthLimit) deep") }
        position += 1
        var object = JSONObject()
        skipSpace()
        if take("}") { return .object(object) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("a key in double quotes was expected") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("':' was expected") }
            object[key] = try value(depth: depth)
            skipSpace()
            if take("}") { return .object(object) }
            guard take(",") else { throw failure("',' or '}' was expected") }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= depthLimit else { throw failure("nested more than \(depthLimit) deep") }
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw failure("',' or ']' was expected") }
        }
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        _ = take("-")
        let leadingZero = next == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0 else { throw failure("a digit was expected") }
        guard !leadingZero || whole == 1 else { throw failure("a number may not start with 0") }
        var isWhole = true
        if take(".") {
            isWhole = false
            guard digits() > 0 else { throw failure("a digit was expected after '.'") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw failure("a digit was expected in the exponent") }
        }
        return JSONValue(numberText: String(decoding: bytes[start..<position], as: UTF8.self), isWhole: isWhole)
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        guard next != UInt8(ascii: "\"") else {
            defer { position += 1 }
            return try text(bytes[start..<position])
        }
        var buffer = ContiguousArray(bytes[start..<position])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                defer { position += 1 }
                return try text(buffer[...])
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &buffer)
            case 0..<0x20:
                throw failure("a control character must be escaped")
            default:
                buffer.append(byte)
                position += 1
            }
        }
        throw failure("a string isn't closed")
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(JSONSyntaxError) -> String {
        guard let text = String(utf8: bytes) else { throw failure("a string isn't valid UTF-8") }
        return text
    }

    private mutating func escape(into buffer: inout ContiguousArray<UInt8>) throws(JSONSyntaxError) {
        guard let byte = next else { throw failure("a string isn't closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): buffer.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw failure("unknown escape; allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
        }
    }

    /// A lone surrogate becomes U+FFFD, as in Go's decoder: Swift strings can't hold it.
    private mutating func escapedScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try hexQuad()
        if let scalar = Unicode.Scalar(first) { return scalar }
        let afterFirst = position
        if first < 0xDC00, take("\\u") {
            let second = try hexQuad()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            {
                return scalar
            }
            position = afterFirst
        }
        return "\u{FFFD}"
    }

    private mutating func hexQuad() throws(JSONSyntaxError) -> UInt32 {
        var result: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw failure("four hexadecimal digits were expected after \\u")
            }
            result = result << 4 | UInt32(digit)
            position += 1
        }
        return result
    }
}

extension JSONValue {
    /// A number from its JSON text: an `Int64` where it is whole and fits, a `Double` where that is exact enough to be
    /// written back as the same number, else its digits.
    init(numberText text: String, isWhole: Bool) {
        if isWhole {
            // "-0" is a float in every parser that tells the two apart.
            if text == "-0" {
                self = .double(-0.0)
            } else if let integer = Int64(text) {
                self = .integer(integer)
            } else {
                self = .number(text)
            }
        } else if let double = Double(text), double.isFinite, significantDigits(text) <= 17 {
            self = .double(double)
        } else {
            self = .number(text)
        }
    }
}

private func significantDigits(_ text: String) -> Int {
    text.utf8.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        .drop { !(UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
        .count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
}
