import Runtime
import Util

/// What tells a frame of a log from others.
struct FrameMark: Hashable, Sendable {
    var time: Timestamp
    /// Of the stream and the text.
    var digest: UInt64

    /// The mark of a frame. The digest goes into stored positions: it is the same in every process and version.
    init(_ stream: OutputLine.Stream, _ time: Timestamp, _ text: UnsafeRawBufferPointer) {
        self.time = time
        // FNV-1a's step over words instead of bytes, with the upper half folded down, which it wouldn't reach otherwise.
        let prime: UInt64 = 0x100_0000_01B3
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (stream == .stdout ? 1 : 2) ^ UInt64(text.count) << 8
        var offset = 0
        while text.count - offset >= 8 {
            hash = (hash ^ UInt64(littleEndian: text.loadUnaligned(fromByteOffset: offset, as: UInt64.self))) &* prime
            hash ^= hash >> 32
            offset += 8
        }
        for byte in text[offset...] { hash = (hash ^ UInt64(byte)) &* prime }
        digest = hash ^ hash >> 32
    }

    init(time: Timestamp, digest: UInt64) {
        self.time = time
        self.digest = digest
    }
}

/// A place in a container's log, counted in frames, which are what the engine filters and never drops but from the front.
///
/// The engine's `since` gives the frames whose time isn't before it, in the order of the log. So a place is a second and the number
/// of frames from it on, with marks that show whether it is still that log.
struct LogPosition: Hashable, Sendable {
    /// Only frames from this second on are counted; 0: all.
    var anchor: Int64
    /// How many frames, at least one.
    var count: Int
    /// The first of them.
    var first: FrameMark
    /// The last of them.
    var last: FrameMark
    /// How many of them, in the last one's stream and at its time, are like the last.
    var alike: Int
    /// When the line began that is open on a stream, its parts so far being among the frames, its text not delivered.
    var stdoutOpen: Timestamp?
    /// The same.
    var stderrOpen: Timestamp?

    func openSince(_ stream: OutputLine.Stream) -> Timestamp? {
        stream == .stdout ? stdoutOpen : stderrOpen
    }
}

extension LogPosition {
    /// `1` for the form, then the fields in their order with dots between them: digests in base 16, no open line as `-`.
    var text: String {
        func open(_ time: Timestamp?) -> String { time.map { String($0.nanosecondsSince1970) } ?? "-" }
        return [
            "1", String(anchor), String(count), String(first.time.nanosecondsSince1970),
            String(first.digest, radix: 16), String(last.time.nanosecondsSince1970), String(last.digest, radix: 16),
            String(alike), open(stdoutOpen), open(stderrOpen),
        ].joined(separator: ".")
    }

    /// Reads ``text``; nil for any other text.
    init?(text: String) {
        guard text.utf8.count <= 200 else { return nil }
        let fields = text.split(separator: ".", omittingEmptySubsequences: false)
        func mark(_ time: Substring, _ digest: Substring) -> FrameMark? {
            guard let time = Int64(time), let digest = UInt64(digest, radix: 16) else { return nil }
            return FrameMark(time: Timestamp(nanosecondsSince1970: time), digest: digest)
        }
        func open(_ field: Substring) -> Timestamp?? {
            if field == "-" { return .some(nil) }
            return Int64(field).map { Timestamp(nanosecondsSince1970: $0) }
        }
        guard fields.count == 10, fields[0] == "1", let anchor = Int64(fields[1]), anchor >= 0,
            let count = Int(fields[2]), count > 0, let first = mark(fields[3], fields[4]),
            let last = mark(fields[5], fields[6]), let alike = Int(fields[7]), (1...count).contains(alike),
            let stdoutOpen = open(fields[8]), let stderrOpen = open(fields[9])
        else { return nil }
        self.init(
            anchor: anchor,
            count: count,
            first: first,
            last: last,
            alike: alike,
            stdoutOpen: stdoutOpen,
            stderrOpen: stderrOpen
        )
    }
}
