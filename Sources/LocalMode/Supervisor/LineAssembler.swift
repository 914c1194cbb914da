import Runtime

/// Makes lines of the pieces that a pipe gives, each bounded.
struct LineAssembler {
    /// A line, without its end.
    struct Line: Hashable {
        var bytes: ArraySlice<UInt8>
        /// How many more bytes it had.
        var cut: Int
    }

    private let longest: Int
    private var rest: [UInt8] = []
    private var cut = 0

    init(longest: Int = OutputText.longest) {
        self.longest = longest
    }

    /// Hands on the lines that end in a piece.
    mutating func add(_ piece: ArraySlice<UInt8>, _ line: (Line) -> Void) {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if rest.isEmpty, cut == 0, end - start <= longest {
                line(Line(bytes: piece[start..<end], cut: 0))
            } else {
                keep(piece[start..<end])
                line(Line(bytes: rest[...], cut: cut))
                rest = []
                cut = 0
            }
            start = end + 1
        }
        keep(piece[start...])
    }

    /// Hands on what came after the last line's end, if anything did.
    mutating func finish(_ line: (Line) -> Void) {
        guard !rest.isEmpty || cut > 0 else { return }
        line(Line(bytes: rest[...], cut: cut))
        rest = []
        cut = 0
    }

    private mutating func keep(_ part: ArraySlice<UInt8>) {
        let room = longest - rest.count
        rest += part.prefix(room)
        cut += max(0, part.count - room)
    }
}
