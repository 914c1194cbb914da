public import Util

/// A runner whose runs' output can be followed without losing or doubling a line.
public protocol RunOutputFollowing: Runner {
    /// Delivers a run's output from a position on, every line once and in the order in which its platform has them: what is
    /// there at once, then what is written, until the run has ended and its last line was delivered.
    ///
    /// Batches are delivered one after the other; the next waits until the last was taken. A following that ends with an error
    /// goes on at the last position delivered.
    /// - Parameters:
    ///   - run: the run, running or ended.
    ///   - position: a position that this runner gave for this run; nil is its beginning.
    ///   - waiting: false returns when everything there is was delivered, also while the run goes on.
    ///   - deliver: takes a batch; an error of its own ends the following and is thrown on as the error's cause.
    /// - Throws: ``RunnerError`` when the platform can't be read, and when the run isn't there any more.
    func follow(
        _ run: ObservedRun,
        after position: OutputPosition?,
        waiting: Bool,
        deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(RunnerError)
}

/// A place between two lines of a run's output. Its text means something only to the runner that made it.
public struct OutputPosition: Sendable, Hashable {
    /// At most 200 bytes of ASCII without white space.
    public let text: String

    /// A position from its text.
    public init(text: String) {
        self.text = text
    }
}

/// Some lines of a run, and where they end.
public struct OutputBatch: Sendable, Hashable {
    /// The lines, oldest first.
    public var lines: [OutputText]
    /// The place after the last of them.
    public var position: OutputPosition
    /// Whether the platform threw lines away before these could be read, as an engine does whose log file has turned over.
    public var hasGap: Bool

    /// Some lines.
    public init(lines: [OutputText], position: OutputPosition, hasGap: Bool = false) {
        self.lines = lines
        self.position = position
        self.hasGap = hasGap
    }
}

/// A line of a run's output as it was written: any bytes.
public struct OutputText: Sendable, Hashable {
    /// The longest line that is kept whole, in bytes.
    public static let longest = 1 << 20

    /// Where it was written.
    public var stream: OutputLine.Stream
    /// When, as the platform tells.
    public var time: Timestamp
    /// What, without the line end, at most ``longest`` bytes.
    public var bytes: [UInt8]
    /// How many more bytes the line had.
    public var cut: Int

    /// A line.
    public init(stream: OutputLine.Stream, time: Timestamp, bytes: [UInt8], cut: Int = 0) {
        self.stream = stream
        self.time = time
        self.bytes = bytes
        self.cut = cut
    }
}

/// Reads what a run wrote last, before what is left of it is removed.
///
/// A runner with such a reader calls it for every run that has ended and is about to be removed or replaced, and waits for it.
public protocol FinalOutputReading: Sendable {
    /// Returns when the run's output was read to its end, or can't be in a sensible time; it never stands in the way for ever.
    func readToEnd(of run: ObservedRun) async
}
