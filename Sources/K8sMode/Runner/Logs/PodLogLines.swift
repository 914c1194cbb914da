import Runtime
import Util

/// A line of a container's log as the kubelet gives it.
struct PodLogLine: Sendable, Hashable {
    /// When it was written; nil for a line without a time, which is the kubelet's own.
    var time: Timestamp?
    /// What, without the line end, at most as much as is kept.
    var bytes: [UInt8]
    /// How many more bytes it had.
    var cut: Int
}

/// Cuts the pieces of a container's log into lines, each bounded.
///
/// Runtimes store long lines in parts, of 16 KiB (containerd, Docker) or 8 KiB (CRI-O), and kubelets before 1.27 write a time
/// before each part, in the middle of the line. There it is taken out.
struct PodLogLines: Sendable {
    /// The longest text of a line that is kept.
    let longest: Int
    /// The open line with its time, up to what is kept and the times within.
    private var open: [UInt8] = []
    /// How many bytes the open line has.
    private var length = 0

    private static let parts = [8 << 10, 16 << 10]

    /// - Parameter longest: the longest text of a line that is kept, in bytes.
    init(longest: Int) {
        self.longest = longest
    }

    /// Takes a piece; calls back for each line that ends in it.
    mutating func add<Failure: Error>(
        _ piece: [UInt8],
        _ take: (PodLogLine) throws(Failure) -> Void
    ) throws(Failure) {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            append(piece[start..<end])
            if open.last == UInt8(ascii: "\r"), open.count == length {
                open.removeLast()
                length -= 1
            }
            try take(line())
            start = end + 1
        }
        append(piece[start...])
    }

    /// What came after the last line's end; nil when nothing did.
    mutating func finish() -> PodLogLine? { length == 0 ? nil : line() }

    private mutating func append(_ part: ArraySlice<UInt8>) {
        let room = longest + 64 * (2 + longest / (Self.parts.min() ?? 1)) - open.count
        if room > 0 { open.append(contentsOf: part.prefix(room)) }
        length += part.count
    }

    private mutating func line() -> PodLogLine {
        defer {
            open.removeAll(keepingCapacity: open.capacity < 1 << 16)
            length = 0
        }
        guard let (time, header) = Self.time(open[...]) else {
            return PodLogLine(time: nil, bytes: Array(open.prefix(longest)), cut: max(0, length - longest))
        }
        let (text, times) = Self.withoutTimes(open[header...])
        let total = length - header - times
        return PodLogLine(time: time, bytes: Array(text.prefix(longest)), cut: max(0, total - longest))
    }

    private static func time(_ bytes: ArraySlice<UInt8>) -> (Timestamp, Int)? {
        bytes.withUnsafeBytes { LogTime.parse($0) }.map { ($0.time, $0.length) }
    }

    /// The text without the times before its later parts, and how many bytes those took.
    private static func withoutTimes(_ text: ArraySlice<UInt8>) -> ([UInt8], Int) {
        guard text.count > (parts.min() ?? 0) else { return (Array(text), 0) }
        var result: [UInt8] = []
        var rest = text
        var times = 0
        while let part = parts.first(where: { rest.count > $0 && time(rest.dropFirst($0).prefix(64)) != nil }) {
            result += rest.prefix(part)
            rest = rest.dropFirst(part)
            let length = time(rest.prefix(64))?.1 ?? 0
            rest = rest.dropFirst(length)
            times += length
        }
        return (result + rest, times)
    }
}
