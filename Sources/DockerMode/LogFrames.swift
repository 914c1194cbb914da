import Runtime
import Util

/// Reads the engine's log stream and keeps the last lines of it.
struct LogFrames {
    /// The longest text of a line that is kept, in bytes; the rest of it is cut off.
    static let longestLine = 64 << 10
    /// The most bytes that all kept lines may have.
    static let mostBytes = 8 << 20

    private let limit: Int
    private var parser = LogFrameParser()
    private var assembler = LineAssembler(longest: LogFrames.longestLine)
    private var time = Timestamp(secondsSince1970: 0)
    private var lines: [OutputText] = []
    private var first = 0
    private var bytes = 0

    /// - Parameter limit: how many lines are kept.
    init(limit: Int) {
        self.limit = max(0, limit)
    }

    /// Takes a piece of the stream.
    /// - Throws: ``DockerError`` as ``LogFrameParser/add(_:_:)`` does.
    mutating func add(_ piece: [UInt8]) throws(DockerError) {
        var ended: [OutputText] = []
        // Out of self, which the closure changes.
        var parser = LogFrameParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        try parser.add(piece) { (frame) throws(DockerError) in
            time = frame.time ?? time
            assembler.take(frame.stream, time, frame.text, into: &ended)
        }
        keep(ended)
    }

    /// The last lines, oldest first. A line that wasn't ended is the last of its stream.
    mutating func finish() -> [OutputLine] {
        keep(assembler.finish())
        return lines[first...].suffix(limit).map { line in
            OutputLine(stream: line.stream, time: line.time, text: String(decoding: line.bytes, as: UTF8.self))
        }
    }

    private mutating func keep(_ ended: [OutputText]) {
        for line in ended {
            lines.append(line)
            bytes += line.bytes.count
        }
        while first < lines.count, lines.count - first > limit || bytes > LogFrames.mostBytes {
            bytes -= lines[first].bytes.count
            lines[first].bytes = []
            first += 1
        }
        if first > 1024, first > lines.count / 2 {
            lines.removeFirst(first)
            first = 0
        }
    }
}
