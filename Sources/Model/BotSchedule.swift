/// A bot that runs on a cron schedule, as the database describes it.
public struct BotSchedule: Sendable, Hashable {
    /// The bot, whose id is the schedule's.
    public var bot: Bot
    /// The cron expression of `config.schedule`.
    public var schedule: String
    /// What comes next.
    public var cursor: ScheduleCursor

    /// The schedule's id.
    public var id: BotID { bot.id }

    /// A schedule of these parts.
    public init(bot: Bot, schedule: String, cursor: ScheduleCursor = ScheduleCursor()) {
        self.bot = bot
        self.schedule = schedule
        self.cursor = cursor
    }
}

/// Which slot of a schedule comes next, as its document says; whatever stands there, it can be put right.
public struct ScheduleCursor: Sendable, Hashable {
    /// `next_execution_time` as it stands: seconds since 1970 if all is well; nil when it is missing.
    public var value: JSONValue?
    /// `cursor_basis`: the expression and time zone that the cursor was reckoned by; nil when somebody else reckoned it.
    public var basis: String?

    /// A cursor as it stands.
    public init(value: JSONValue? = nil, basis: String? = nil) {
        self.value = value
        self.basis = basis
    }

    /// A cursor on a slot.
    public init(_ time: Int64, basis: String? = nil) { self.init(value: .integer(time), basis: basis) }

    /// The slot in seconds since 1970, if a whole number above 0 stands there.
    public var time: Int64? {
        let number: Int64? =
            switch value {
            case .integer(let number): number
            case .double(let number): Int64(exactly: number)
            default: nil
            }
        return number.flatMap { $0 > 0 ? $0 : nil }
    }
}
