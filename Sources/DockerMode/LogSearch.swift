import Runtime
import Util

/// Looks for a position's last frame in a log that has lost its front.
struct LogSearch {
    private let position: LogPosition
    private var parser = LogFrameParser()
    private var assembler = LineAssembler(longest: 0)
    private var ledger: LogLedger
    private var found: Found?
    private var alike = 0

    /// The position as it is told in the log as it is now.
    struct Found: Sendable, Hashable {
        var position: LogPosition
        /// Whether what is missing wasn't all read before.
        var hasGap: Bool
    }

    /// - Parameter anchor: from this second on the log is read; 0: all of it.
    init(_ position: LogPosition, anchor: Int64) {
        self.position = position
        ledger = LogLedger(anchor: anchor)
    }

    /// Whether no more has to be read.
    var isOver: Bool { alike == position.alike }

    /// The position in the log as it is; nil when its last frame isn't there.
    var result: Found? {
        guard var found else { return nil }
        if alike < position.alike { found.hasGap = true }
        return found
    }

    /// Takes a piece of the engine's stream.
    mutating func add(_ piece: [UInt8]) throws(DockerError) {
        // Out of self, which the closure changes.
        var parser = LogFrameParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        try parser.add(piece) { (frame) throws(DockerError) in
            guard !isOver, let time = frame.time, ledger.anchor == 0 || time.secondsSince1970 >= ledger.anchor else {
                return
            }
            var lines: [OutputText] = []
            let mark = FrameMark(frame.stream, time, frame.text)
            ledger.add(mark, frame.stream)
            assembler.take(frame.stream, time, frame.text, into: &lines)
            guard mark == position.last, let first = ledger.first else { return }
            alike += 1
            found = found(first)
        }
    }

    private func found(_ first: FrameMark) -> Found {
        var found = position
        found.anchor = ledger.anchor
        found.count = ledger.count
        found.first = first
        found.alike = alike
        // The beginning of an open line that is gone can't be delivered any more.
        let hasGap = [OutputLine.Stream.stdout, .stderr].contains { stream in
            position.openSince(stream) != nil && position.openSince(stream) != assembler.openSince(stream)
        }
        // With the first frame there, another count than before means that some were never given, or given twice.
        let isOdd = ledger.anchor == position.anchor && first == position.first && ledger.count != position.count
        return Found(position: found, hasGap: hasGap || isOdd)
    }
}
