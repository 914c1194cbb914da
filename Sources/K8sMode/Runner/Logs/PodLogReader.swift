import Runtime
import Util

/// Turns one reading of a container's log, from a place's second on, into lines after that place.
struct PodLogReader: Sendable {
    private var lines = PodLogLines(longest: OutputText.longest)
    private var ledger: LogLedger
    /// The place that is read up to again.
    private var sought: LogPosition?
    /// Whether the log turned out not to be the one in which the place was: nothing was given.
    private(set) var isLost = false

    /// - Parameters:
    ///   - place: lines after it are wanted; nil: all.
    ///   - anchor: from this second on the log is read, where there is no place.
    init(after place: LogPosition?, anchor: Int64 = 0) {
        sought = place
        ledger = LogLedger(anchor: place?.anchor ?? anchor)
    }

    /// From this second on the log is read; 0: all of it.
    var anchor: Int64 { ledger.anchor }
    /// Whether everything up to the place was read again.
    var isPastPlace: Bool { sought == nil }
    /// The place after all that was read; nil before the first line.
    var place: LogPosition? { ledger.position() }

    /// Takes a piece of the log; the lines that end in it, after the place.
    /// - Throws: ``K8sError`` with code `badAnswer` for a line without a time.
    mutating func add(_ piece: [UInt8]) throws(K8sError) -> [OutputText] {
        var result: [OutputText] = []
        // Out of self, which the closure changes.
        var lines = PodLogLines(longest: 0)
        swap(&lines, &self.lines)
        defer { swap(&lines, &self.lines) }
        try lines.add(piece) { (line) throws(K8sError) in try take(line, &result) }
        return result
    }

    /// The line that wasn't ended, once the container has.
    mutating func finish() throws(K8sError) -> [OutputText] {
        var result: [OutputText] = []
        if let line = lines.finish() { try take(line, &result) }
        return result
    }

    private mutating func take(_ line: PodLogLine, _ result: inout [OutputText]) throws(K8sError) {
        guard !isLost else { return }
        guard let time = line.time else {
            let text = String(decoding: line.bytes.prefix(200), as: UTF8.self).onOneLine
            throw K8sError(.badAnswer, "the log has a line that doesn't begin with a time: \(text)")
        }
        // Whatever a kubelet takes `sinceTime` to mean.
        guard anchor == 0 || time.secondsSince1970 >= anchor else { return }
        let mark = FrameMark(line, time)
        ledger.add(mark, .stdout)
        guard let place = sought else {
            result.append(OutputText(stream: .stdout, time: time, bytes: line.bytes, cut: line.cut))
            return
        }
        // A log only loses its front: when the first line is there, so are the others.
        if ledger.count == 1, mark != place.first { isLost = true }
        if ledger.count == place.count {
            if mark == place.last { sought = nil } else { isLost = true }
        }
    }
}

extension FrameMark {
    /// The mark of a line.
    fileprivate init(_ line: PodLogLine, _ time: Timestamp) {
        self = line.bytes.withUnsafeBytes { FrameMark(.stdout, time, $0) }
    }
}

/// Looks for a place's last line in a log that has lost its front, or is another's.
struct PodLogSearch: Sendable {
    private let place: LogPosition
    private var lines = PodLogLines(longest: OutputText.longest)
    private var ledger: LogLedger
    private var alike = 0
    private var found: LogPosition?

    /// - Parameter place: what is looked for; the log is read from its second on.
    init(_ place: LogPosition) {
        self.place = place
        ledger = LogLedger(anchor: place.anchor)
    }

    /// Whether no more has to be read.
    var isOver: Bool { alike == place.alike }

    /// The place in the log as it is, and whether some that is missing before it wasn't read; nil when its last line isn't there.
    var result: (place: LogPosition, hasGap: Bool)? { found.map { ($0, alike < place.alike) } }

    /// Takes a piece of the log.
    mutating func add(_ piece: [UInt8]) {
        var lines = PodLogLines(longest: 0)
        swap(&lines, &self.lines)
        defer { swap(&lines, &self.lines) }
        lines.add(piece) { line in take(line) }
    }

    /// Takes a line that wasn't ended.
    mutating func finish() {
        if let line = lines.finish() { take(line) }
    }

    private mutating func take(_ line: PodLogLine) {
        guard !isOver, let time = line.time, ledger.anchor == 0 || time.secondsSince1970 >= ledger.anchor else {
            return
        }
        let mark = FrameMark(line, time)
        ledger.add(mark, .stdout)
        guard mark == place.last, let first = ledger.first else { return }
        alike += 1
        found = LogPosition(anchor: ledger.anchor, count: ledger.count, first: first, last: mark, alike: alike)
    }
}
