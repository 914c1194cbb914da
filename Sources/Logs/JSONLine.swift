/// Whether a line is one complete JSON object (RFC 8259) with nothing but white space around it, and whether it tells its time.
///
/// It is looked at byte by byte and nothing is built from it: every line of every bot comes through here.
struct JSONLine {
    /// Objects and arrays inside one another, as many as are followed; deeper ones are taken for text.
    static let deepest = 64

    /// Where the object's first member would stand: after its brace.
    let inside: Int
    /// Whether the object has no members.
    let isEmpty: Bool
    /// Whether it has a member named `timestamp`.
    let hasTimestamp: Bool

    /// Looks at a line; nil when it is anything but an object.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var scanner = JSONScanner(bytes)
        scanner.skipSpace()
        guard scanner.peek == UInt8(ascii: "{") else { return nil }
        inside = scanner.index + 1
        guard scanner.takeValue() else { return nil }
        scanner.skipSpace()
        guard scanner.peek == nil else { return nil }
        hasTimestamp = scanner.hasTimestamp
        isEmpty = scanner.isEmptyAtTop
    }
}

private struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var index = 0
    private(set) var hasTimestamp = false
    private(set) var isEmptyAtTop = true

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0D, 0x0A: index += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        guard bytes.count - index >= word.utf8CodeUnitCount else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[index + offset] != word.utf8Start[offset] { return false }
        index += word.utf8CodeUnitCount
        return true
    }

    /// A value with all that is in it. What is open is kept as bits, an object's set: the depth costs no stack.
    mutating func takeValue() -> Bool {
        var depth = 0
        var objects: UInt64 = 0
        while true {
            skipSpace()
            guard let byte = peek else { return false }
            var closed = false
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < JSONLine.deepest else { return false }
                index += 1
                depth += 1
                let isObject = byte == UInt8(ascii: "{")
                objects = objects << 1 | (isObject ? 1 : 0)
                skipSpace()
                if take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    depth -= 1
                    objects >>= 1
                    closed = true
                } else if isObject {
                    if depth == 1 { isEmptyAtTop = false }
                    guard takeKey(isTop: depth == 1) else { return false }
                }
            default:
                guard takeScalar(byte) else { return false }
                closed = true
            }
            guard closed else { continue }
            // A value has ended: what encloses it goes on or ends with it.
            while true {
                guard depth > 0 else { return true }
                skipSpace()
                let isObject = objects & 1 == 1
                if take(UInt8(ascii: ",")) {
                    if isObject {
                        skipSpace()
                        guard takeKey(isTop: depth == 1) else { return false }
                    }
                    break
                }
                guard take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return false }
                depth -= 1
                objects >>= 1
            }
        }
    }

    private mutating func takeScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""): takeString() != nil
        case UInt8(ascii: "t"): take(word: "true")
        case UInt8(ascii: "f"): take(word: "false")
        case UInt8(ascii: "n"): take(word: "null")
        default: takeNumber()
        }
    }

    private mutating func takeKey(isTop: Bool) -> Bool {
        let start = index + 1
        guard let hasEscape = takeString() else { return false }
        if isTop, !hasTimestamp { hasTimestamp = isTimestamp(start..<(index - 1), hasEscape) }
        skipSpace()
        return take(UInt8(ascii: ":"))
    }

    /// Whether the text between the quotes is `timestamp`, however it is escaped.
    private func isTimestamp(_ range: Range<Int>, _ hasEscape: Bool) -> Bool {
        let name: StaticString = "timestamp"
        var at = range.lowerBound
        for offset in 0..<name.utf8CodeUnitCount {
            guard at < range.upperBound else { return false }
            let expected = name.utf8Start[offset]
            if bytes[at] == expected {
                at += 1
            } else if hasEscape, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u"),
                (2..<6).reduce(0, { $0 * 16 + (Self.digit(bytes[at + $1]) ?? 0) }) == Int(expected)
            {
                at += 6
            } else {
                return false
            }
        }
        return at == range.upperBound
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }

    /// A string with its quotes.
    /// - Returns: whether something in it is escaped; nil when it is no string.
    private mutating func takeString() -> Bool? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var hasEscape = false
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return hasEscape
            case UInt8(ascii: "\\"):
                hasEscape = true
                guard takeEscape() else { return nil }
            case 0x20...0x7F: index += 1
            case 0x80...:
                let length = UTF8Sequence.length(in: bytes, at: index)
                guard length > 0 else { return nil }
                index += length
            default: return nil
            }
        }
        return nil
    }

    private mutating func takeEscape() -> Bool {
        guard index + 1 < bytes.count else { return false }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 2
            return true
        case UInt8(ascii: "u"):
            guard index + 6 <= bytes.count else { return false }
            for offset in 2..<6 where Self.digit(bytes[index + offset]) == nil { return false }
            index += 6
            return true
        default: return false
        }
    }

    private mutating func takeNumber() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { guard takeDigits() else { return false } }
        if take(UInt8(ascii: ".")) { guard takeDigits() else { return false } }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard takeDigits() else { return false }
        }
        return true
    }

    private mutating func takeDigits() -> Bool {
        let start = index
        while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
        return index > start
    }
}

/// One character of UTF-8 (table 3-7 of the Unicode standard).
enum UTF8Sequence {
    /// How many bytes the character at an index has; 0 when there is none, because the bytes are no UTF-8.
    static func length(in bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        func follows(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        switch bytes[index] {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return follows(1) ? 2 : 0
        case 0xE0: return follows(1, 0xA0...0xBF) && follows(2) ? 3 : 0
        case 0xED: return follows(1, 0x80...0x9F) && follows(2) ? 3 : 0
        case 0xE1...0xEF: return follows(1) && follows(2) ? 3 : 0
        case 0xF0: return follows(1, 0x90...0xBF) && follows(2) && follows(3) ? 4 : 0
        case 0xF4: return follows(1, 0x80...0x8F) && follows(2) && follows(3) ? 4 : 0
        case 0xF1...0xF3: return follows(1) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }
}
