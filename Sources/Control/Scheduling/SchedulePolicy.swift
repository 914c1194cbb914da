public import Model
public import Util

/// How a schedule's slots become runs: `config.execution` of its bot. `docs/scheduling.md` tells each with examples.
public struct SchedulePolicy: Sendable, Hashable {
    /// What a slot does that comes while the run before still goes.
    public enum Overlap: String, Sendable, Hashable, CaseIterable {
        /// It is passed over.
        case forbid
        /// It runs beside it.
        case allow
        /// It runs in its place.
        case replace
    }

    /// What becomes of slots that came while no scheduler was there.
    public enum Missed: String, Sendable, Hashable, CaseIterable {
        /// The latest one runs if it is within its deadline; those before are passed over.
        case latest
        /// None runs.
        case skip
        /// All run, one after another, the oldest first.
        case all
    }

    /// The name of the time zone that the expression is read in; nil for UTC.
    public var timeZone: String?
    /// What a slot does that comes while the run before still goes.
    public var overlap = Overlap.forbid
    /// What becomes of slots that came while no scheduler was there.
    public var missed = Missed.latest
    /// How late a slot may be claimed; nil for half the time to the next one, and at least a minute.
    public var deadline: Duration?
    /// How long a run may take; nil for any time.
    public var timeout: Duration? = .seconds(3600)
    /// By how much at most a slot's start is put off, by an amount of its own that stays the same.
    public var jitter = Duration.zero
    /// How many further attempts follow a run that failed.
    public var retries = 0
    /// How long to wait before a further attempt.
    public var backoff = SchedulePolicy.standardBackoff
    /// Whether slots pass by without a trace until it is taken back.
    public var isSuspended = false

    /// What holds where a schedule says nothing.
    public static let standard = SchedulePolicy()

    /// 10 s, doubling up to 5 min.
    static let standardBackoff = (try? Backoff(initial: .seconds(10))) ?? .standard

    private init() {}

    private static let keys = [
        "timezone", "overlap", "missed", "deadline", "timeout", "jitter", "retries", "retry", "suspend",
    ]

    /// Reads `execution` of a bot's config.
    /// - Throws: `DocumentError` for a setting that is unknown, can't be used, or contradicts another.
    public init(config: JSONObject, id: BotID) throws(DocumentError) {
        guard let fields = try ConfigFields(config["execution"], path: "config.execution", id: id) else { return }
        try fields.allow(Self.keys) { $0 == "restart" ? "is for live bots; a schedule has retries and retry" : nil }
        let year = Duration.seconds(366 * 86_400)
        timeZone = try fields.text("timezone")
        overlap = try fields.word("overlap") ?? overlap
        missed = try fields.word("missed") ?? missed
        deadline = try fields.duration("deadline", from: .seconds(1), to: year)
        if let limit = try fields.duration("timeout", from: .zero, to: year) { timeout = limit == .zero ? nil : limit }
        jitter = try fields.duration("jitter", from: .zero, to: .seconds(86_400)) ?? jitter
        retries = try fields.count("retries", upTo: 100) ?? retries
        isSuspended = try fields.bool("suspend") ?? isSuspended
        if let retry = try ConfigFields(fields.object["retry"], path: "config.execution.retry", id: id) {
            try retry.allow(["initial", "maximum"])
            backoff = try retry.backoff(backoff)
            guard retries > 0 else { throw fields.failure("retry", "has no use without retries of 1 or more") }
        }
        if missed == .all, overlap == .replace {
            throw fields.failure("missed", "can't be all where overlap is replace: each would end the one before")
        }
        if let timeout, timeout < .seconds(1) { throw fields.failure("timeout", "is less than 1s; 0 means none") }
    }
}
