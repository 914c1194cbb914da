import Runtime
import Util

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Puts lines together from frames.
///
/// The engine's file driver cuts lines at 16 KiB: the parts come as frames of their own, only the last with a line end, and lines
/// of the other stream may stand between them. Podman puts several lines into one frame. `\n` and `\r\n` end a line.
struct LineAssembler {
    /// The longest line that is kept whole, in bytes.
    let longest: Int
    private var stdout: OpenLine?
    private var stderr: OpenLine?

    init(longest: Int) {
        self.longest = longest
    }

    /// A line whose end hasn't come yet.
    private struct OpenLine {
        let time: Timestamp
        /// The earliest time of its parts.
        var earliest: Timestamp
        var bytes: [UInt8] = []
        var length = 0
        /// Whether the last byte, kept or not, is a carriage return.
        var endsInReturn = false

        init(_ time: Timestamp) {
            self.time = time
            earliest = time
        }

        mutating func append(_ part: UnsafeRawBufferPointer, _ time: Timestamp, longest: Int) {
            guard let last = part.last else { return }
            earliest = min(earliest, time)
            let room = longest - bytes.count
            if room > 0 { bytes.append(contentsOf: part.prefix(room)) }
            length += part.count
            endsInReturn = last == UInt8(ascii: "\r")
        }

        func ended(_ stream: OutputLine.Stream, atLineEnd: Bool) -> OutputText {
            var bytes = bytes
            var length = length
            if atLineEnd, endsInReturn {
                if bytes.count == length { bytes.removeLast() }
                length -= 1
            }
            return OutputText(stream: stream, time: time, bytes: bytes, cut: length - bytes.count)
        }
    }

    /// When the open line of a stream began, if there is one.
    func openSince(_ stream: OutputLine.Stream) -> Timestamp? {
        stream == .stdout ? stdout?.time : stderr?.time
    }

    /// The earliest time of any part of an open line.
    var earliestOpen: Timestamp? {
        [stdout?.earliest, stderr?.earliest].compactMap(\.self).min()
    }

    /// Takes a frame; the lines that end in it are added to `lines`.
    /// - Parameter time: the frame's; a line has that of its first part.
    mutating func take(
        _ stream: OutputLine.Stream,
        _ time: Timestamp,
        _ text: UnsafeRawBufferPointer,
        into lines: inout [OutputText]
    ) {
        var rest = text
        while let end = LineAssembler.lineEnd(rest) {
            let part = UnsafeRawBufferPointer(rebasing: rest[..<end])
            var line = take(stream) ?? OpenLine(time)
            line.append(part, time, longest: longest)
            lines.append(line.ended(stream, atLineEnd: true))
            rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
        }
        guard !rest.isEmpty else { return }
        var line = take(stream) ?? OpenLine(time)
        line.append(rest, time, longest: longest)
        put(line, stream)
    }

    /// The lines that weren't ended, the older first.
    mutating func finish() -> [OutputText] {
        let lines = [OutputLine.Stream.stdout, .stderr].compactMap { stream in
            take(stream)?.ended(stream, atLineEnd: false)
        }
        return lines.count == 2 && lines[1].time < lines[0].time ? lines.reversed() : lines
    }

    /// Forgets the open line of a stream.
    mutating func drop(_ stream: OutputLine.Stream) {
        put(nil, stream)
    }

    /// The open line of a stream, which is then nobody else's and can be added to in place.
    private mutating func take(_ stream: OutputLine.Stream) -> OpenLine? {
        stream == .stdout ? stdout.take() : stderr.take()
    }

    private mutating func put(_ line: OpenLine?, _ stream: OutputLine.Stream) {
        if stream == .stdout { stdout = line } else { stderr = line }
    }

    private static func lineEnd(_ text: UnsafeRawBufferPointer) -> Int? {
        guard let base = text.baseAddress, let found = memchr(base, 0x0A, text.count) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}

extension LogLedger {
    /// The place after the last frame; nil before the first.
    /// - Parameter assembler: has the lines that are open after it.
    func position(_ assembler: LineAssembler) -> LogPosition? {
        position(
            stdoutOpen: assembler.openSince(.stdout),
            stderrOpen: assembler.openSince(.stderr),
            earliestOpen: assembler.earliestOpen
        )
    }
}
