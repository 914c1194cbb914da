import Runtime
import TestSupport
import Util

@testable import DockerMode

/// A frame as an engine has it in its log.
struct RecordedFrame: Sendable, Hashable {
    var stream: OutputLine.Stream
    var time: Timestamp
    var text: [UInt8]

    init(_ stream: OutputLine.Stream, _ time: Timestamp, _ text: [UInt8]) {
        self.stream = stream
        self.time = time
        self.text = text
    }

    init(_ stream: OutputLine.Stream, at seconds: Double, _ text: String) {
        self.init(stream, Timestamp(nanosecondsSince1970: Int64(seconds * 1_000_000_000)), Array(text.utf8))
    }

    /// As the engine sends it.
    var bytes: [UInt8] {
        let seconds = time.secondsSince1970
        let digits = String(time.nanosecondsSince1970 - seconds * 1_000_000_000)
        let whole = RFC3339.string(Timestamp(secondsSince1970: seconds)).dropLast()
        let stamp = whole + "." + String(repeating: "0", count: 9 - digits.count) + digits + "Z "
        let content = Array(stamp.utf8) + text
        return RecordedFrame.head(stream == .stdout ? 1 : 2, content.count) + content
    }

    static func head(_ kind: UInt8, _ length: Int) -> [UInt8] {
        [kind, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
    }
}

/// A container's log, and what an engine does with it.
struct RecordedLog: Sendable {
    var frames: [RecordedFrame]

    /// What the engine gives for `since`.
    func frames(since second: Int64?) -> [RecordedFrame] {
        guard let second else { return frames }
        return frames.filter { $0.time >= Timestamp(secondsSince1970: second) }
    }

    func bytes(since second: Int64?) -> [UInt8] { frames(since: second).flatMap(\.bytes) }

    /// The lines, put together in the plainest way; unended ones at the end when the run has ended.
    func lines(hasEnded: Bool = true) -> [OutputText] {
        var open: [OutputLine.Stream: (Timestamp, [UInt8])] = [:]
        var lines: [OutputText] = []
        for frame in frames where !frame.text.isEmpty {
            var (time, text) = open[frame.stream] ?? (frame.time, [])
            text += frame.text
            if text.last == 0x0A {
                text.removeLast()
                if text.last == 0x0D { text.removeLast() }
                lines.append(OutputText(stream: frame.stream, time: time, bytes: text))
                open[frame.stream] = nil
            } else {
                open[frame.stream] = (time, text)
            }
        }
        guard hasEnded else { return lines }
        let rest = open.sorted { left, right in
            left.value.0 == right.value.0 ? left.key == .stdout : left.value.0 < right.value.0
        }
        return lines + rest.map { OutputText(stream: $0.key, time: $0.value.0, bytes: $0.value.1) }
    }
}

extension RecordedLog {
    /// A log of lines, of parts with one time or their own, of lines of the other stream between them, with times that go back a
    /// little and a clock that is set.
    static func random(_ seed: UInt64, frames count: Int) -> RecordedLog {
        var numbers = SeededGenerator(seed: seed)
        var frames: [RecordedFrame] = []
        var now: Int64 = 1_700_000_000_000_000_000
        var open: [OutputLine.Stream: Timestamp] = [:]
        for number in 0..<count {
            switch Int.random(in: 0..<100, using: &numbers) {
            case 0: now += Int64.random(in: -4_000_000_000_000...4_000_000_000_000, using: &numbers)
            case 1...4: now += 30_000_000_000
            case 5...14: now -= Int64.random(in: 0...2_000_000_000, using: &numbers)
            case 15...60: now += Int64.random(in: 0...900_000_000, using: &numbers)
            default: now += 1000
            }
            let stream: OutputLine.Stream = Bool.random(using: &numbers) ? .stdout : .stderr
            let time = Timestamp(nanosecondsSince1970: now)
            let isPart = Int.random(in: 0..<4, using: &numbers) == 0
            // Docker gives all parts of a line the time of the first, Podman each its own. Parts are often alike.
            let stamp = seed % 2 == 0 ? open[stream] ?? time : time
            let text = isPart ? ["xx", "yy", ""].randomElement(using: &numbers) ?? "" : "\(number)"
            open[stream] = isPart ? stamp : nil
            frames.append(RecordedFrame(stream, stamp, Array((isPart ? text : text + "\n").utf8)))
        }
        return RecordedLog(frames: frames)
    }
}

/// What a following delivered.
struct Reading: Sendable {
    var lines: [OutputText] = []
    var positions: [(count: Int, position: LogPosition)] = []
    var gaps = 0

    mutating func take(_ batch: OutputBatch?) {
        guard let batch else { return }
        lines += batch.lines
        if batch.hasGap { gaps += 1 }
        if let position = LogPosition(text: batch.position.text) { positions.append((lines.count, position)) }
    }
}
