/// Cuts pieces of a stream into lines, each bounded.
struct LineSplitter {
    private let limit: Int
    private var line: [UInt8] = []

    /// - Parameter limit: the longest line in bytes; of a longer one only the beginning is given.
    init(limit: Int) {
        self.limit = limit
    }

    /// The lines that end in a piece, without their ends.
    mutating func add(_ piece: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            append(piece[start..<end])
            lines.append(line)
            line.removeAll(keepingCapacity: true)
            start = end + 1
        }
        append(piece[start...])
        return lines
    }

    /// What came after the last line's end, if anything did.
    var rest: [UInt8]? { line.isEmpty ? nil : line }

    private mutating func append(_ part: ArraySlice<UInt8>) {
        line.append(contentsOf: part.prefix(limit - line.count))
    }
}
