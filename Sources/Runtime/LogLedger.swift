package import Util

/// Counts the frames of a reading by the second of their time, so that a place in the log can be told from any recent second.
///
/// Times go back: a little, as both streams are stamped before the platform takes them in order, and as far as somebody
/// sets the clock. Counts are kept for ranges of seconds that cover all that was read, single seconds where time is now and longer
/// ranges before, so that a place is exact whatever the times do; it is only told from further back then.
package struct LogLedger: Sendable {
    /// How far back the streams' times may be out of order.
    package static let slack: Int64 = 8
    private static let mostRanges = 24

    /// From this second on frames are read; 0: all.
    package let anchor: Int64
    /// How many were.
    package private(set) var count = 0
    /// The first of them.
    package private(set) var first: FrameMark?
    /// The last of them.
    package private(set) var last: FrameMark?
    private var ranges: [Range] = []
    private var repeats = Repeats()

    /// Frames whose time is in a range of seconds that ends where the next begins.
    private struct Range: Sendable {
        let start: Int64
        var latest: Int64
        var count: Int
        let first: FrameMark
        let firstNumber: Int
    }

    /// A ledger of a reading.
    /// - Parameter anchor: from this second on frames are read; 0: all.
    package init(anchor: Int64) {
        self.anchor = anchor
    }

    /// Counts a frame.
    package mutating func add(_ mark: FrameMark, _ stream: OutputLine.Stream) {
        let second = mark.time.secondsSince1970
        if first == nil { first = mark }
        last = mark
        repeats.add(mark, stream)
        defer { count += 1 }
        guard let index = ranges.lastIndex(where: { $0.start <= second }) ?? ranges.indices.first else {
            // Nothing read is before the first range.
            ranges.append(Range(start: anchor, latest: second, count: 1, first: mark, firstNumber: count))
            return
        }
        if second <= ranges[index].latest {
            ranges[index].count += 1
        } else {
            let range = Range(start: second, latest: second, count: 1, first: mark, firstNumber: count)
            ranges.insert(range, at: index + 1)
            if ranges.count > LogLedger.mostRanges { mergeOldest() }
        }
    }

    /// The place after the last frame; nil before the first.
    /// - Parameters:
    ///   - stdoutOpen: when the line began that is open on stdout after it; nil where none is.
    ///   - stderrOpen: the same for stderr.
    ///   - earliestOpen: the earliest time of any part of them.
    package func position(
        stdoutOpen: Timestamp? = nil,
        stderrOpen: Timestamp? = nil,
        earliestOpen: Timestamp? = nil
    ) -> LogPosition? {
        guard let last else { return nil }
        // All parts of an open line have to be read again: Docker gives them the time of the first.
        var second = last.time.secondsSince1970 - LogLedger.slack
        if let earliest = earliestOpen { second = min(second, earliest.secondsSince1970) }
        let index = ranges.lastIndex { $0.start <= second } ?? 0
        var count = 0
        var first = ranges[index]
        for range in ranges[index...] {
            count += range.count
            if range.firstNumber < first.firstNumber { first = range }
        }
        return LogPosition(
            anchor: ranges[index].start,
            count: count,
            first: first.first,
            last: last,
            alike: repeats.count,
            stdoutOpen: stdoutOpen,
            stderrOpen: stderrOpen
        )
    }

    private mutating func mergeOldest() {
        let (one, two) = (ranges[0], ranges[1])
        let isFirst = one.firstNumber < two.firstNumber
        ranges[1] = Range(
            start: one.start,
            latest: max(one.latest, two.latest),
            count: one.count + two.count,
            first: isFirst ? one.first : two.first,
            firstNumber: min(one.firstNumber, two.firstNumber)
        )
        ranges.removeFirst()
    }
}

/// How many frames of a stream had the time and the text of the last one.
///
/// Docker gives all parts of a line one time, and they may well be alike. A platform's clock may be coarse too.
struct Repeats: Sendable {
    private var stdout = Moment()
    private var stderr = Moment()
    /// Of the last frame.
    private(set) var count = 0

    private struct Moment: Sendable {
        var time: Timestamp?
        var last: UInt64 = 0
        /// Empty while there is only one frame.
        var counts: [UInt64: Int] = [:]
    }

    mutating func add(_ mark: FrameMark, _ stream: OutputLine.Stream) {
        count = stream == .stdout ? Repeats.add(mark, &stdout) : Repeats.add(mark, &stderr)
    }

    private static func add(_ mark: FrameMark, _ moment: inout Moment) -> Int {
        guard moment.time == mark.time else {
            moment.time = mark.time
            moment.last = mark.digest
            if !moment.counts.isEmpty { moment.counts = [:] }
            return 1
        }
        if moment.counts.isEmpty { moment.counts[moment.last] = 1 }
        // A line of gigabytes without repetition isn't worth more memory.
        guard moment.counts.count < 4096 || moment.counts[mark.digest] != nil else { return 1 }
        moment.counts[mark.digest, default: 0] += 1
        return moment.counts[mark.digest] ?? 1
    }
}
