import Runtime
import Util

/// Takes the engine's multiplexed log stream apart into lines, and keeps the last of them.
///
/// The stream is a sequence of frames: one byte for the stream (1 stdout, 2 stderr), three zeros, the length in four bytes (big
/// endian), the text. With `timestamps=1` each frame begins with a time and a space. The engine's file driver cuts lines at
/// 16 KiB: the parts come as frames of their own, only the last with a line end. Frames come in the order they were written.
struct LogFrames {
    /// The longest text of a line that is kept, in bytes; the rest of it is cut off.
    static let longestLine = 64 << 10
    /// The most bytes that all kept lines may have.
    static let mostBytes = 8 << 20
    /// The longest frame that is believed: the engine's own are 16 KiB and a time.
    private static let longestFrame = 1 << 20

    private let limit: Int
    private var buffer: [UInt8] = []
    private var lines: [OutputLine] = []
    private var first = 0
    private var bytes = 0
    private var open: [OutputLine.Stream: OutputLine] = [:]

    /// - Parameter limit: how many lines are kept.
    init(limit: Int) {
        self.limit = max(0, limit)
    }

    /// Takes a piece of the stream.
    /// - Throws: ``DockerError`` with code `badAnswer` when it isn't made of frames.
    mutating func add(_ piece: [UInt8]) throws(DockerError) {
        buffer += piece
        var position = 0
        while buffer.count - position >= 8 {
            let length = buffer[(position + 4)..<(position + 8)].reduce(0) { $0 << 8 | Int($1) }
            guard let stream = OutputLine.Stream(frameByte: buffer[position]), length <= LogFrames.longestFrame else {
                throw DockerError(
                    .badAnswer,
                    "the engine's log stream has a frame of kind \(buffer[position]) and \(length) bytes"
                )
            }
            guard buffer.count - position - 8 >= length else { break }
            take(buffer[(position + 8)..<(position + 8 + length)], stream)
            position += 8 + length
        }
        buffer.removeFirst(position)
    }

    /// The last lines, oldest first. A line that wasn't ended is the last of its stream.
    mutating func finish() -> [OutputLine] {
        for line in open.values.sorted(by: { $0.time < $1.time }) { keep(line) }
        open = [:]
        return Array(lines[first...].suffix(limit))
    }

    private mutating func take(_ frame: ArraySlice<UInt8>, _ stream: OutputLine.Stream) {
        var time: Timestamp?
        var text = frame
        if let space = frame.prefix(40).firstIndex(of: UInt8(ascii: " ")),
            let parsed = try? RFC3339.parse(String(decoding: frame[..<space], as: UTF8.self))
        {
            time = parsed
            text = frame[(space + 1)...]
        }
        // A frame has one line or a part of one; Podman puts several into one.
        var start = text.startIndex
        while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) {
            append(text[start..<end], stream, time)
            if let line = open.removeValue(forKey: stream) { keep(line) }
            start = end + 1
        }
        if start < text.endIndex { append(text[start...], stream, time) }
    }

    private mutating func append(_ text: ArraySlice<UInt8>, _ stream: OutputLine.Stream, _ time: Timestamp?) {
        let part = text.last == UInt8(ascii: "\r") ? text.dropLast() : text
        var line =
            open[stream]
            ?? OutputLine(stream: stream, time: time ?? lines.last?.time ?? Timestamp(secondsSince1970: 0), text: "")
        let room = LogFrames.longestLine - line.text.utf8.count
        if room > 0 { line.text += String(decoding: part.prefix(room), as: UTF8.self) }
        open[stream] = line
    }

    private mutating func keep(_ line: OutputLine) {
        lines.append(line)
        bytes += line.text.utf8.count
        while first < lines.count, lines.count - first > limit || bytes > LogFrames.mostBytes {
            bytes -= lines[first].text.utf8.count
            lines[first].text = ""
            first += 1
        }
        if first > 1024, first > lines.count / 2 {
            lines.removeFirst(first)
            first = 0
        }
    }
}

extension OutputLine.Stream {
    fileprivate init?(frameByte: UInt8) {
        switch frameByte {
        // 0 is stdin, which the engine writes to stdout.
        case 0, 1: self = .stdout
        case 2: self = .stderr
        default: return nil
        }
    }
}
