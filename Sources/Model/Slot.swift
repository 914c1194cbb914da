/// What a scheduled run is for. Together with the schedule's id it names the run, everywhere.
public struct Slot: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    /// Why there is a run.
    public enum Trigger: String, Sendable, Hashable, CaseIterable {
        /// Its schedule says so.
        case schedule
        /// Somebody asked for it.
        case manual
    }

    /// Why there is a run.
    public let trigger: Trigger
    /// The time it is for in seconds since 1970: the schedule's, or when somebody asked.
    public let time: Int64

    /// A run for a time.
    public init(_ time: Int64, trigger: Trigger = .schedule) {
        self.time = time
        self.trigger = trigger
    }

    /// A slot written in code.
    public init(integerLiteral time: Int64) { self.init(time) }

    /// Reads what ``description`` wrote, as `1767258000` or `manual-1767258000`.
    public init?(_ text: String) {
        let prefix = "\(Trigger.manual.rawValue)-"
        let isManual = text.hasPrefix(prefix)
        let digits = isManual ? text.dropFirst(prefix.count) : text[...]
        guard let time = Int64(digits), String(time) == digits else { return nil }
        self.init(time, trigger: isManual ? .manual : .schedule)
    }

    /// The seconds, with `manual-` before those of a run that somebody asked for.
    public var description: String { trigger == .manual ? "\(trigger.rawValue)-\(time)" : "\(time)" }

    /// Earlier is less; at the same time the schedule's own comes first.
    public static func < (left: Slot, right: Slot) -> Bool {
        guard left.time == right.time else { return left.time < right.time }
        return left.trigger == .schedule && right.trigger == .manual
    }
}
