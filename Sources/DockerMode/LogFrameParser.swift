import Runtime
import Util

/// One frame of the engine's log stream: a line, or a part of one.
struct LogFrame {
    let stream: OutputLine.Stream
    /// nil: the frame doesn't begin with a time.
    let time: Timestamp?
    /// What was written, with its line end if it has one; only good until the parser goes on.
    let text: UnsafeRawBufferPointer
}

/// Takes the engine's multiplexed log stream apart into frames, however the pieces of it fall.
///
/// The stream is a sequence of frames: one byte for the stream (1 stdout, 2 stderr), three zeros, the length in four bytes (big
/// endian), the text. With `timestamps=1` each frame begins with a time and a space.
struct LogFrameParser {
    /// The longest frame that is believed: the engine's own are 16 KiB and a time. So much is kept of an unfinished one at most.
    static let longestFrame = 1 << 20

    /// The beginning of a frame that isn't whole yet.
    private var rest: [UInt8] = []

    /// Takes a piece of the stream and calls `body` for each frame that ends in it.
    /// - Throws: ``DockerError`` with code `badAnswer` when the stream isn't made of frames, `failed` when the engine says in it
    ///   that it can't read the log.
    mutating func add(_ piece: [UInt8], _ body: (LogFrame) throws(DockerError) -> Void) throws(DockerError) {
        let bytes: [UInt8]
        if rest.isEmpty {
            bytes = piece
        } else {
            rest += piece
            bytes = rest
        }
        rest = []
        let end = try LogFrameParser.frames(bytes, body)
        if end < bytes.count { rest = Array(bytes[end...]) }
    }

    /// Whether the stream so far ends with a whole frame.
    var isBetweenFrames: Bool { rest.isEmpty }

    /// Calls `body` for each whole frame; returns where they end.
    private static func frames(
        _ bytes: [UInt8],
        _ body: (LogFrame) throws(DockerError) -> Void
    ) throws(DockerError) -> Int {
        let result = bytes.withUnsafeBytes { bytes -> Result<Int, DockerError> in
            var position = 0
            do throws(DockerError) {
                while bytes.count - position >= 8 {
                    let length = try length(UnsafeRawBufferPointer(rebasing: bytes[position..<(position + 8)]))
                    guard bytes.count - position - 8 >= length else { break }
                    let text = UnsafeRawBufferPointer(rebasing: bytes[(position + 8)..<(position + 8 + length)])
                    try body(try frame(kind: bytes[position], text))
                    position += 8 + length
                }
                return .success(position)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func length(_ head: UnsafeRawBufferPointer) throws(DockerError) -> Int {
        let length = Int(UInt32(bigEndian: head.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        // 0 is stdin, which the engine writes to stdout; 3 is a word of the engine itself.
        guard head[0] <= 3, length <= longestFrame else {
            throw DockerError(
                .badAnswer,
                "the engine's log stream has a frame of kind \(head[0]) and \(length) bytes"
            )
        }
        return length
    }

    private static func frame(kind: UInt8, _ whole: UnsafeRawBufferPointer) throws(DockerError) -> LogFrame {
        if kind == 3 {
            let words = String(decoding: whole.prefix(2000), as: UTF8.self).onOneLine
            throw DockerError(.failed, "the engine says in its log stream: \(words)")
        }
        let stream: OutputLine.Stream = kind == 2 ? .stderr : .stdout
        guard let (time, length) = LogTime.parse(whole) else { return LogFrame(stream: stream, time: nil, text: whole) }
        return LogFrame(stream: stream, time: time, text: UnsafeRawBufferPointer(rebasing: whole[length...]))
    }
}
