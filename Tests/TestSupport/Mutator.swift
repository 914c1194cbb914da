/// Makes inputs for parsers out of inputs that are kept: the same ones for the same seed.
public struct Mutator: Sendable {
    private var random: SeededGenerator
    private let originals: [[UInt8]]
    private let words: [[UInt8]]
    private let longest: Int

    /// - Parameters:
    ///   - originals: what is mutated.
    ///   - words: pieces that mean something to the parser.
    ///   - longest: the most bytes an input gets.
    ///   - seed: what everything is drawn from.
    public init(_ originals: [[UInt8]], words: [String] = [], longest: Int = 16 << 10, seed: UInt64) {
        self.originals = originals
        // What breaks parsers of any kind: ends of ranges, other scripts' digits, marks, what is no UTF-8.
        let common = [
            "", "\0", "\n", "\r\n", "\u{FEFF}", "é", "e\u{301}", "\u{301}", "\u{202E}", "١", "😀", "-1", "0",
            "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e999",
            "4294967295", "2147483648", "%00", "%", "\\", "\"",
        ]
        self.words = (words + words + common).map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]
        self.longest = longest
        random = SeededGenerator(seed: seed)
    }

    /// A number for a test's own choices.
    public mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// The next input.
    public mutating func next() -> [UInt8] {
        var bytes = originals.randomElement(using: &random) ?? []
        let steps = number(1...10) == 1 ? number(5...20) : number(1...4)
        for _ in 0..<steps { change(&bytes) }
        return bytes.count > longest ? Array(bytes[..<longest]) : bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = number(0...bytes.count)
        let stretch = place..<min(bytes.count, place + length())
        switch number(0...11) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(number(0...7))
        case 1 where place < bytes.count: bytes[place] = UInt8(number(0...255))
        case 2 where place < bytes.count: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
        case 3: bytes.removeSubrange(stretch)
        case 4: bytes.removeSubrange(place...)
        case 5: bytes.insert(contentsOf: repeated(bytes[stretch]), at: place)
        case 6: bytes.insert(contentsOf: repeated((words.randomElement(using: &random) ?? [])[...]), at: place)
        case 7: bytes.replaceSubrange(stretch, with: words.randomElement(using: &random) ?? [])
        case 8: bytes.replaceSubrange(place..., with: end(of: originals.randomElement(using: &random) ?? []))
        case 9: bytes.insert(contentsOf: bytes[stretch], at: number(0...bytes.count))
        case 10: changeNumber(&bytes, near: place)
        default: bytes.insert(contentsOf: words.randomElement(using: &random) ?? [], at: place)
        }
        if bytes.count > longest { bytes.removeSubrange(longest...) }
    }

    /// Mostly short.
    private mutating func length() -> Int { number(1...(number(0...3) == 0 ? 200 : 8)) }

    private mutating func repeated(_ piece: ArraySlice<UInt8>) -> [UInt8] {
        guard !piece.isEmpty else { return [] }
        let times = number(0...19) == 0 ? longest / piece.count : number(1...4)
        return (0..<times).flatMap { _ in piece }
    }

    private mutating func end(of other: [UInt8]) -> ArraySlice<UInt8> { other[number(0...other.count)...] }

    /// Puts another number where digits stand.
    private mutating func changeNumber(_ bytes: inout [UInt8], near place: Int) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = bytes[place...].firstIndex(where: digits.contains) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.endIndex
        let number = random.next() >> UInt64(number(0...63))
        bytes.replaceSubrange(start..<end, with: String(number).utf8)
    }
}
