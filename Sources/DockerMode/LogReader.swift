import Runtime
import Util

/// Turns one reading of a container's log, from a position's second on, into batches of lines after that position.
struct LogReader {
    private var parser = LogFrameParser()
    private var assembler = LineAssembler(longest: OutputText.longest)
    private var ledger: LogLedger
    /// The position that is read up to again.
    private var sought: LogPosition?
    private var hasGap: Bool
    /// Whether the log turned out not to be the one in which the position was: nothing was delivered.
    private(set) var isLost = false
    /// The frame with which the engine seems to give again what it gave before: that and what follows wasn't taken.
    private(set) var repeated: FrameMark?
    /// Only an engine that follows repeats itself.
    private var recent: RecentFrames?

    /// - Parameters:
    ///   - position: lines after it are wanted; nil: all.
    ///   - anchor: from this second on the log is read, where there is no position.
    ///   - hasGap: whether lines are missing before the first.
    ///   - follows: whether the engine follows the log.
    init(after position: LogPosition?, anchor: Int64 = 0, hasGap: Bool = false, follows: Bool = false) {
        sought = position
        recent = follows ? RecentFrames() : nil
        self.hasGap = hasGap
        ledger = LogLedger(anchor: position?.anchor ?? anchor)
    }

    /// From this second on the log is read; 0: all of it.
    var anchor: Int64 { ledger.anchor }
    /// Whether everything up to the position was read again.
    var isPastPosition: Bool { sought == nil }
    /// Whether what was read ends with a whole frame.
    var isBetweenFrames: Bool { parser.isBetweenFrames }

    /// Takes a piece of the engine's stream; the lines that end in it.
    mutating func add(_ piece: [UInt8]) throws(DockerError) -> OutputBatch? {
        guard !isLost, repeated == nil else { return nil }
        var lines: [OutputText] = []
        // Out of self, which the closure changes.
        var parser = LogFrameParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        try parser.add(piece) { (frame) throws(DockerError) in
            guard let time = frame.time else {
                throw DockerError(.badAnswer, "the engine's log stream has a frame that doesn't begin with a time")
            }
            // Whatever an engine takes `since` to mean.
            guard !isLost, anchor == 0 || time.secondsSince1970 >= anchor else { return }
            let mark = FrameMark(frame.stream, time, frame.text)
            guard !isRepeated(mark, frame.stream) else { return }
            ledger.add(mark, frame.stream)
            assembler.take(frame.stream, time, frame.text, into: &lines)
            if let position = sought { seek(position, mark, &lines) }
        }
        return batch(lines)
    }

    /// The lines that weren't ended, once the run has.
    mutating func finish() -> OutputBatch? {
        guard !isLost, sought == nil else { return nil }
        return batch(assembler.finish())
    }

    /// The place after all that was read, when a gap was found and no line came to tell it with.
    mutating func gap() -> OutputBatch? {
        guard hasGap, sought == nil, let place else { return nil }
        hasGap = false
        return OutputBatch(lines: [], position: OutputPosition(text: place.text), hasGap: true)
    }

    /// The place after all that was read; nil before the first frame.
    var place: LogPosition? {
        ledger.position(assembler)
    }

    /// Whether the frame, or one before it, seems to be given again.
    private mutating func isRepeated(_ mark: FrameMark, _ stream: OutputLine.Stream) -> Bool {
        guard repeated == nil else { return true }
        guard recent != nil else { return false }
        let isPart = assembler.openSince(stream) == mark.time
        // The engine gives what there is before it follows, and that is the log as it is.
        if sought == nil, recent?.isRepeated(mark, isPart: isPart) == true {
            repeated = mark
            return true
        }
        recent?.add(mark, isPart: isPart)
        return false
    }

    private mutating func seek(_ position: LogPosition, _ mark: FrameMark, _ lines: inout [OutputText]) {
        // A log only loses its front: when the first frame is there, so are the others.
        if ledger.count == 1, mark != position.first { isLost = true }
        if ledger.count == position.count {
            if mark == position.last {
                sought = nil
                // It was delivered without its end, as the run's last, or wasn't open.
                for stream in [OutputLine.Stream.stdout, .stderr] where position.openSince(stream) == nil {
                    assembler.drop(stream)
                }
            } else {
                isLost = true
            }
        }
        lines.removeAll(keepingCapacity: true)
    }

    private mutating func batch(_ lines: [OutputText]) -> OutputBatch? {
        guard !lines.isEmpty, let place else { return nil }
        defer { hasGap = false }
        return OutputBatch(lines: lines, position: OutputPosition(text: place.text), hasGap: hasGap)
    }
}
