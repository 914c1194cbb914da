import Runtime
import Util

/// How a line of output stands in a file: `o 1732448000123456789 5 0` (stream, time in nanoseconds, length, bytes cut off), a
/// line end, the bytes, a line end. The length makes any bytes possible; a person can read it all the same.
enum OutputRecord {
    /// A line, or a mark that lines were lost here for want of room.
    enum Entry: Hashable {
        case line(OutputText)
        case gap(lines: Int)
    }

    private static let gap = UInt8(ascii: "g")
    private static let lineEnd = UInt8(ascii: "\n")
    /// Longer than any header: a letter, three numbers of at most twenty digits, their spaces.
    private static let longestHeader = 80

    static func append(
        _ line: LineAssembler.Line,
        _ stream: OutputLine.Stream,
        _ time: Timestamp,
        to bytes: inout [UInt8]
    ) {
        let letter = stream == .stdout ? "o" : "e"
        bytes += "\(letter) \(time.nanosecondsSince1970) \(line.bytes.count) \(line.cut)\n".utf8
        bytes += line.bytes
        bytes.append(lineEnd)
    }

    static func appendGap(lines: Int, _ time: Timestamp, to bytes: inout [UInt8]) {
        bytes += "g \(time.nanosecondsSince1970) 0 \(lines)\n\n".utf8
    }

    /// What stands at the beginning of some bytes.
    enum Reading {
        /// An entry, and how many bytes it takes.
        case entry(Entry, size: Int)
        /// It isn't all there; the bytes it takes where that is known already.
        case incomplete(size: Int?)
        /// No record of ours.
        case nonsense
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
        guard let end = bytes.prefix(longestHeader).firstIndex(of: lineEnd) else {
            return bytes.count < longestHeader ? .incomplete(size: nil) : .nonsense
        }
        let fields = bytes[..<end].split(separator: UInt8(ascii: " "))
        guard fields.count == 4, fields[0].count == 1, let letter = fields[0].first,
            let time = Int64(String(decoding: fields[1], as: UTF8.self)),
            let length = Int(String(decoding: fields[2], as: UTF8.self)), (0...OutputText.longest).contains(length),
            let cut = Int(String(decoding: fields[3], as: UTF8.self)), cut >= 0,
            letter == UInt8(ascii: "o") || letter == UInt8(ascii: "e") || letter == gap
        else { return .nonsense }
        let size = end + 1 - bytes.startIndex + length + 1
        guard bytes.count >= size else { return .incomplete(size: size) }
        guard bytes[bytes.startIndex + size - 1] == lineEnd else { return .nonsense }
        if letter == gap { return .entry(.gap(lines: cut), size: size) }
        let text = OutputText(
            stream: letter == UInt8(ascii: "o") ? .stdout : .stderr,
            time: Timestamp(nanosecondsSince1970: time),
            bytes: Array(bytes[(end + 1)..<(end + 1 + length)]),
            cut: cut
        )
        return .entry(.line(text), size: size)
    }
}
