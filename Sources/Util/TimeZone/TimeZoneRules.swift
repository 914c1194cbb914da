/// How far the clocks of one place are from UTC, at any time: immutable, shared, and fast to ask.
///
/// The timeline is cut into stretches of equal offset. A zone's rule for the future (its footer, a
/// POSIX time zone) is laid out in advance for as long as a ``Timestamp`` reaches, so that every question is one
/// binary search.
public final class TimeZoneRules: Sendable, Hashable, CustomStringConvertible {
    /// The name in the time-zone database, such as "Europe/Berlin".
    public let name: String

    /// Where each stretch begins, in seconds since 1970; the first one began long before any timestamp.
    let starts: [Int64]
    /// Seconds that the clocks are ahead of UTC, per stretch.
    let offsets: [Int64]
    /// Up to where (exclusive, in local seconds) clocks had come before each stretch. It never falls: after the clocks
    /// were set back it stays until they have caught up.
    let reached: [Int64]

    /// Coordinated universal time; needs no database.
    public static let utc = TimeZoneRules(name: "UTC", initialOffset: 0, changes: [])

    /// Before and after everything, but far enough from overflow to be added to.
    static let distantPast = Int64.min / 4
    static let distantFuture = Int64.max / 4

    /// Makes rules of changes in ascending order; of several at one instant the last counts.
    init(name: String, initialOffset: Int64, changes: [(time: Int64, offset: Int64)]) {
        var starts = [Self.distantPast]
        var offsets = [initialOffset]
        for change in changes {
            if let last = starts.last, change.time <= last {
                starts.removeLast()
                offsets.removeLast()
            }
            // Where only the name or the daylight flag changes, the clocks go on.
            if change.offset != offsets.last {
                starts.append(offsets.isEmpty ? Self.distantPast : change.time)
                offsets.append(change.offset)
            }
        }
        var reached = [Self.distantPast]
        for index in starts.indices.dropFirst() {
            reached.append(max(reached[index - 1], starts[index] + offsets[index - 1]))
        }
        self.name = name
        self.starts = starts
        self.offsets = offsets
        self.reached = reached
    }

    /// Seconds that the clocks are ahead of UTC at some time, in seconds since 1970.
    public func offset(atSecondsSince1970 time: Int64) -> Int64 {
        offsets[stretch(at: time)]
    }

    /// The times within a span, in seconds since 1970, at which the clocks are set forward or back.
    public func changes(inSecondsSince1970 span: Range<Int64>) -> [Int64] {
        starts.dropFirst().filter { span.contains($0) }
    }

    /// The same zone of the same database.
    public static func == (left: TimeZoneRules, right: TimeZoneRules) -> Bool {
        left === right || (left.name == right.name && left.starts == right.starts && left.offsets == right.offsets)
    }

    /// The name stands for the rules.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
    }

    /// The name.
    public var description: String { name }
}

extension TimeZoneRules {
    /// The stretch that a time lies in.
    func stretch(at time: Int64) -> Int {
        lastIndex(in: starts, where: time)
    }

    /// The end (exclusive) of a stretch.
    func end(of stretch: Int) -> Int64 {
        stretch + 1 < starts.count ? starts[stretch + 1] : Self.distantFuture
    }

    /// The latest local time that clocks have shown up to and including a time.
    func latestShown(through time: Int64) -> Int64 {
        let stretch = stretch(at: time)
        return max(time + offsets[stretch], reached[stretch] - 1)
    }

    /// The first time at which clocks show a local time or, where that is skipped, a later one: the end of the gap.
    func firstShowing(_ local: Int64) -> Int64 {
        let stretch = lastIndex(in: reached, where: local)
        return max(starts[stretch], local - offsets[stretch])
    }

    /// The last element that isn't more than the value; the first element is less than any value.
    private func lastIndex(in sorted: [Int64], where value: Int64) -> Int {
        var low = 0
        var count = sorted.count
        while count > 1 {
            let half = count / 2
            if sorted[low + half] <= value { low += half }
            count -= half
        }
        return low
    }
}
