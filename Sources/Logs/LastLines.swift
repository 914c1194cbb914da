import Synchronization

/// The last so many of many lines.
final class LastLines: Sendable {
    private let limit: Int
    private let kept = Mutex<(lines: [LogLine], first: Int)>(([], 0))

    init(_ limit: Int) { self.limit = limit }

    func add(_ line: LogLine) {
        kept.withLock { kept in
            kept.lines.append(line)
            if kept.lines.count - kept.first > limit { kept.first += 1 }
            // Once as many are behind as are kept, moving those costs no more than what was added.
            if kept.first > limit {
                kept.lines.removeFirst(kept.first)
                kept.first = 0
            }
        }
    }

    func removeAll() { kept.withLock { $0 = ([], 0) } }

    var lines: [LogLine] { kept.withLock { Array($0.lines[$0.first...]) } }
}
