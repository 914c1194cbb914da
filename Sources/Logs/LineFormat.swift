public import Runtime
public import Util

/// Writes lines as other parts of the platform read them: one JSON object a line.
///
/// A line that is a JSON object is kept byte for byte, with `timestamp` added where it has none. Any other becomes
/// `{"timestamp", "stream", "message"}`.
public struct LineFormat: Sendable {
    private var clock = TimeText()

    /// A format; one for each task, as it remembers the second it is in.
    public init() {}

    /// Adds a line, its end included.
    public mutating func append(_ line: OutputText, to buffer: inout [UInt8]) {
        line.bytes.withUnsafeBufferPointer { bytes in
            if line.cut == 0, let json = JSONLine(bytes) {
                append(json, bytes, line.time, to: &buffer)
            } else {
                appendText(line, bytes, to: &buffer)
            }
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    /// Adds a line that says something about the log itself, as that lines are missing.
    public mutating func append(mark: LogMark, at time: Timestamp, to buffer: inout [UInt8]) {
        buffer += #"{"timestamp":""#.utf8
        clock.append(time, to: &buffer)
        buffer += #"","stream":"stderr","message":""#.utf8
        buffer += mark.message.utf8
        buffer += #"","runtime":""#.utf8
        buffer += mark.name.utf8
        buffer += "\"}\n".utf8
    }

    private mutating func append(
        _ json: JSONLine,
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ time: Timestamp,
        to buffer: inout [UInt8]
    ) {
        guard !json.hasTimestamp else {
            buffer.append(contentsOf: bytes)
            return
        }
        buffer.append(contentsOf: bytes[..<json.inside])
        buffer += #""timestamp":""#.utf8
        clock.append(time, to: &buffer)
        buffer.append(UInt8(ascii: "\""))
        if !json.isEmpty { buffer.append(UInt8(ascii: ",")) }
        buffer.append(contentsOf: bytes[json.inside...])
    }

    private mutating func appendText(
        _ line: OutputText,
        _ bytes: UnsafeBufferPointer<UInt8>,
        to buffer: inout [UInt8]
    ) {
        buffer += #"{"timestamp":""#.utf8
        clock.append(line.time, to: &buffer)
        buffer +=
            line.stream == .stdout ? #"","stream":"stdout","message":""#.utf8 : #"","stream":"stderr","message":""#.utf8
        Self.appendEscaped(bytes, to: &buffer)
        if line.cut > 0 {
            buffer += "… [\(line.cut) bytes cut]\",\"cut\":\(line.cut)}".utf8
        } else {
            buffer += "\"}".utf8
        }
    }

    /// Adds text as it stands between a JSON string's quotes; what is no UTF-8 becomes U+FFFD.
    private static func appendEscaped(_ bytes: UnsafeBufferPointer<UInt8>, to buffer: inout [UInt8]) {
        var index = 0
        var plain = 0
        func takePlain(_ buffer: inout [UInt8]) {
            if plain < index { buffer.append(contentsOf: bytes[plain..<index]) }
        }
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                takePlain(&buffer)
                buffer.append(UInt8(ascii: "\\"))
                plain = index
                index += 1
            case 0x00...0x1F, 0x7F:
                takePlain(&buffer)
                appendControl(byte, to: &buffer)
                index += 1
                plain = index
            case 0x80...:
                let length = UTF8Sequence.length(in: bytes, at: index)
                if length == 0 {
                    takePlain(&buffer)
                    buffer += [0xEF, 0xBF, 0xBD]
                    index += 1
                    plain = index
                } else {
                    index += length
                }
            default: index += 1
            }
        }
        takePlain(&buffer)
    }

    private static func appendControl(_ byte: UInt8, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x09: buffer.append(UInt8(ascii: "t"))
        case 0x0A: buffer.append(UInt8(ascii: "n"))
        case 0x0D: buffer.append(UInt8(ascii: "r"))
        default:
            let digits: StaticString = "0123456789abcdef"
            buffer += "u00".utf8
            buffer.append(digits.utf8Start[Int(byte >> 4)])
            buffer.append(digits.utf8Start[Int(byte & 15)])
        }
    }
}

/// Something about the log itself that stands in it as a line of its own.
public enum LogMark: Sendable, Hashable {
    /// So many lines weren't kept, for want of room.
    case dropped(lines: Int)
    /// The platform threw lines away before they could be read.
    case gap
    /// Lines that were kept on this machine can't be read any more.
    case damaged

    var name: String {
        switch self {
        case .dropped: "dropped"
        case .gap: "gap"
        case .damaged: "damaged"
        }
    }

    var message: String {
        switch self {
        case .dropped(let lines): "[\(lines) lines are missing here: there was no room to keep them]"
        case .gap: "[lines are missing here: the engine threw them away before they could be read]"
        case .damaged: "[lines are missing here: the file they were kept in is damaged]"
        }
    }
}

/// Times as text in the form of RFC 3339, always with nine digits after the second, so that their order is that of the text.
struct TimeText: Sendable {
    private var second = Int64.min
    private var text: [UInt8] = []

    mutating func append(_ time: Timestamp, to buffer: inout [UInt8]) {
        let seconds = time.secondsSince1970
        if seconds != second {
            second = seconds
            text = Array(RFC3339.string(Timestamp(secondsSince1970: seconds)).utf8.prefix(19))
        }
        buffer.append(contentsOf: text)
        buffer.append(UInt8(ascii: "."))
        var rest = time.nanosecondsSince1970 &- seconds &* 1_000_000_000
        var divisor: Int64 = 100_000_000
        while divisor > 0 {
            buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
        buffer.append(UInt8(ascii: "Z"))
    }
}
