import Model

/// Reads the few values that are wanted out of a large JSON text, without building the rest.
///
/// A list of 10,000 containers is 18 MB of JSON, of which a tenth is of use. What is skipped is checked for its brackets and
/// quotes only, so a text that was cut or mixed up is noticed; whatever is returned is checked in full.
struct JSONSkimmer {
    /// Where the text stops being JSON.
    struct Failure: Error {
        let offset: Int
    }

    private let bytes: [UInt8]
    private var position = 0

    /// Where reading has come to.
    var offset: Int { position }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Calls `body` at the beginning of each element of an array; it has to read or skip the element. A null has none.
    mutating func elements(_ body: (inout JSONSkimmer) throws(Failure) -> Void) throws(Failure) {
        if try isNull() { return }
        try members(open: "[", close: "]") { (skimmer) throws(Failure) in try body(&skimmer) }
    }

    /// Calls `body` at the value of each member of an object, with the key; it has to read or skip the value.
    mutating func members(_ body: (inout JSONSkimmer, String) throws(Failure) -> Void) throws(Failure) {
        if try isNull() { return }
        try members(open: "{", close: "}") { (skimmer) throws(Failure) in
            let key = try skimmer.string()
            try skimmer.take(":")
            try body(&skimmer, key)
        }
    }

    /// The string here.
    mutating func string() throws(Failure) -> String {
        let range = try quoted()
        let content = bytes[(range.lowerBound + 1)..<(range.upperBound - 1)]
        guard content.contains(UInt8(ascii: "\\")) else {
            guard let text = String(utf8: content) else { throw Failure(offset: range.lowerBound) }
            return text
        }
        guard let text = (try? JSONValue.parse(bytes[range]))?.string else { throw Failure(offset: range.lowerBound) }
        return text
    }

    /// The whole number here.
    mutating func integer() throws(Failure) -> Int64 {
        let start = try next()
        let range = scalar(from: start)
        guard let number = Int64(String(decoding: bytes[range], as: UTF8.self)) else { throw Failure(offset: start) }
        position = range.upperBound
        return number
    }

    /// Passes over the value here.
    mutating func skip() throws(Failure) {
        switch bytes[try next()] {
        case UInt8(ascii: "\""): _ = try quoted()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
        default:
            let range = scalar(from: position)
            guard !range.isEmpty else { throw Failure(offset: position) }
            position = range.upperBound
        }
    }

    /// Checks that nothing but white space follows.
    mutating func end() throws(Failure) {
        skipSpace()
        guard position == bytes.count else { throw Failure(offset: position) }
    }

    private mutating func members(
        open: Unicode.Scalar,
        close: Unicode.Scalar,
        _ body: (inout JSONSkimmer) throws(Failure) -> Void
    ) throws(Failure) {
        try take(open)
        if bytes[try next()] == UInt8(ascii: close) {
            position += 1
            return
        }
        while true {
            try body(&self)
            let byte = bytes[try next()]
            position += 1
            if byte == UInt8(ascii: close) { return }
            guard byte == UInt8(ascii: ",") else { throw Failure(offset: position - 1) }
        }
    }

    private mutating func skipNested() throws(Failure) {
        let start = position
        var closing: [UInt8] = []
        repeat {
            guard position < bytes.count else { throw Failure(offset: start) }
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                _ = try quoted()
                continue
            case UInt8(ascii: "{"): closing.append(UInt8(ascii: "}"))
            case UInt8(ascii: "["): closing.append(UInt8(ascii: "]"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard closing.popLast() == byte else { throw Failure(offset: position) }
            default: break
            }
            position += 1
        } while !closing.isEmpty
    }

    /// The range of the string here with its quotes, which is passed.
    private mutating func quoted() throws(Failure) -> Range<Int> {
        let start = try next()
        guard bytes[start] == UInt8(ascii: "\"") else { throw Failure(offset: start) }
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                position = index + 1
                return start..<position
            case UInt8(ascii: "\\"): index += 2
            case 0..<0x20: throw Failure(offset: index)
            default: index += 1
            }
        }
        throw Failure(offset: start)
    }

    /// The range of a number or a word.
    private func scalar(from start: Int) -> Range<Int> {
        var end = start
        scan: while end < bytes.count {
            switch bytes[end] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
                end += 1
            default: break scan
            }
        }
        return start..<end
    }

    private mutating func isNull() throws(Failure) -> Bool {
        let start = try next()
        guard bytes[start] == UInt8(ascii: "n") else { return false }
        let range = scalar(from: start)
        guard bytes[range].elementsEqual("null".utf8) else { throw Failure(offset: start) }
        position = range.upperBound
        return true
    }

    private mutating func take(_ scalar: Unicode.Scalar) throws(Failure) {
        let start = try next()
        guard bytes[start] == UInt8(ascii: scalar) else { throw Failure(offset: start) }
        position += 1
    }

    /// The position of the next byte that isn't white space.
    private mutating func next() throws(Failure) -> Int {
        skipSpace()
        guard position < bytes.count else { throw Failure(offset: position) }
        return position
    }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }
}
