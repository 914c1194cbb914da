package import Util

/// What tells a frame of a log from others.
package struct FrameMark: Hashable, Sendable {
    /// When it was written.
    package var time: Timestamp
    /// Of the stream and the text.
    package var digest: UInt64

    /// The mark of a frame. The digest goes into stored positions: it is the same in every process and version.
    package init(_ stream: OutputLine.Stream, _ time: Timestamp, _ text: UnsafeRawBufferPointer) {
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

    /// A mark that was stored.
    package init(time: Timestamp, digest: UInt64) {
        self.time = time
        self.digest = digest
    }
}

/// A place in a container's log, counted in frames, which are what a platform filters and never drops but from the front: Docker's
/// parts of lines, Kubernetes' lines.
///
/// A platform's `since` gives the frames whose time isn't before it, in the order of the log. So a place is a second and the number
/// of frames from it on, with marks that show whether it is still that log.
package struct LogPosition: Hashable, Sendable {
    /// Only frames from this second on are counted; 0: all.
    package var anchor: Int64
    /// How many frames, at least one.
    package var count: Int
    /// The first of them.
    package var first: FrameMark
    /// The last of them.
    package var last: FrameMark
    /// How many of them, in the last one's stream and at its time, are like the last.
    package var alike: Int
    /// When the line began that is open on a stream, its parts so far being among the frames, its text not delivered.
    package var stdoutOpen: Timestamp?
    /// The same.
    package var stderrOpen: Timestamp?

    /// A place of these parts.
    package init(
        anchor: Int64,
        count: Int,
        first: FrameMark,
        last: FrameMark,
        alike: Int,
        stdoutOpen: Timestamp? = nil,
        stderrOpen: Timestamp? = nil
    ) {
        self.anchor = anchor
        self.count = count
        self.first = first
        self.last = last
        self.alike = alike
        self.stdoutOpen = stdoutOpen
        self.stderrOpen = stderrOpen
    }

    /// When the line began that is open on a stream.
    package func openSince(_ stream: OutputLine.Stream) -> Timestamp? {
        stream == .stdout ? stdoutOpen : stderrOpen
    }
}

extension LogPosition {
    /// `1` for the form, then the fields in their order with dots between them: digests in base 16, no open line as `-`.
    package var text: String {
        func open(_ time: Timestamp?) -> String { time.map { String($0.nanosecondsSince1970) } ?? "-" }
        return [
            "1", String(anchor), String(count), String(first.time.nanosecondsSince1970),
            String(first.digest, radix: 16), String(last.time.nanosecondsSince1970), String(last.digest, radix: 16),
            String(alike), open(stdoutOpen), open(stderrOpen),
        ].joined(separator: ".")
    }

    /// Reads ``text``; nil for any other text.
    package init?(text: String) {
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
