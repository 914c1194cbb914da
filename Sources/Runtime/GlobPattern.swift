/// One component of an ignore pattern, between two slashes: `*`, `?`, `[a-z]`, `[!a-z]` and `\` before any of them.
struct GlobPattern: Sendable, Hashable {
    private enum Piece: Sendable, Hashable {
        case exactly(Unicode.Scalar)
        case anyOne
        case anyNumber
        case oneOf([ClosedRange<UInt32>], negated: Bool)
    }

    private let pieces: [Piece]

    init(_ text: Substring) {
        var pieces: [Piece] = []
        var rest = text.unicodeScalars[...]
        // Where one set has no end, none after it has one: it isn't looked for again and again.
        var mayHaveSets = true
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*":
                if pieces.last != .anyNumber { pieces.append(.anyNumber) }
            case "?": pieces.append(.anyOne)
            case "\\": pieces.append(.exactly(rest.popFirst() ?? scalar))
            case "[" where mayHaveSets:
                let set = Self.takeSet(&rest)
                mayHaveSets = set != nil
                pieces.append(set ?? .exactly(scalar))
            default: pieces.append(.exactly(scalar))
            }
        }
        self.pieces = pieces
    }

    /// The set after `[`; nil, and nothing taken, when no `]` ends it.
    private static func takeSet(_ rest: inout Substring.UnicodeScalarView.SubSequence) -> Piece? {
        var ahead = rest
        let negated = ahead.first == "!" || ahead.first == "^"
        if negated { ahead.removeFirst() }
        var ranges: [ClosedRange<UInt32>] = []
        while let low = ahead.popFirst() {
            // A bracket that comes first stands for itself, as in fnmatch(3).
            if low == "]", !ranges.isEmpty {
                rest = ahead
                return .oneOf(ranges, negated: negated)
            }
            var high = low
            if ahead.first == "-", let end = ahead.dropFirst().first, end != "]" {
                high = end
                ahead.removeFirst(2)
            }
            // A range that runs backwards matches nothing in fnmatch(3); its ends are taken for themselves here.
            ranges += low <= high ? [low.value...high.value] : [low.value...low.value, high.value...high.value]
        }
        return nil
    }

    /// Whether the whole text matches. Takes at most pieces × characters steps, whatever the pattern.
    func matches(_ text: some StringProtocol) -> Bool {
        let scalars = Array(text.unicodeScalars)
        return matchesWithRetry(pieces, scalars, isStar: { $0 == .anyNumber }) { piece, scalar in
            switch piece {
            case .exactly(let expected): scalar == expected
            case .anyOne: true
            case .anyNumber: false
            case .oneOf(let ranges, let negated): ranges.contains { $0.contains(scalar.value) } != negated
            }
        }
    }
}

/// Matches a sequence against a pattern with stars, each for any number of elements.
///
/// Going back to the last star only is enough: an earlier star that took more could only leave less for what follows.
func matchesWithRetry<Piece, Element>(
    _ pattern: [Piece],
    _ elements: [Element],
    isStar: (Piece) -> Bool,
    matches: (Piece, Element) -> Bool
) -> Bool {
    var piece = 0
    var element = 0
    var retry: (piece: Int, element: Int)?
    while element < elements.count {
        if piece < pattern.count, isStar(pattern[piece]) {
            piece += 1
            retry = (piece, element)
        } else if piece < pattern.count, matches(pattern[piece], elements[element]) {
            piece += 1
            element += 1
        } else if let last = retry {
            piece = last.piece
            element = last.element + 1
            retry = (piece, element)
        } else {
            return false
        }
    }
    return pattern[piece...].allSatisfy(isStar)
}
