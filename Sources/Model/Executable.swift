/// What kind of work a program is run for. Each kind's runner sees only its own.
public enum ExecutableKind: String, Sendable, Hashable, CaseIterable {
    /// Runs until it is stopped.
    case live = "bot"
    /// Runs once, for a slot of its schedule, to completion.
    case scheduled = "schedule"
}

/// A program to run for a bot: what a ``Bot`` or one slot of a ``BotSchedule`` comes down to.
public struct Executable: Sendable, Hashable {
    /// The bot's, or the schedule's, id.
    public var id: BotID
    /// Why it runs.
    public var kind: ExecutableKind
    /// The slot it runs for; nil for a live bot.
    public var slot: Slot?
    /// The bot's own parameters.
    public var config: JSONObject
    /// Its program.
    public var custom: CustomBotVersion

    /// The program of a live bot.
    public init(_ bot: Bot) {
        self.init(id: bot.id, kind: .live, config: bot.config, custom: bot.custom)
    }

    /// The program of a schedule, for one slot.
    public init(_ schedule: BotSchedule, slot: Slot) {
        self.init(
            id: schedule.id,
            kind: .scheduled,
            slot: slot,
            config: schedule.bot.config,
            custom: schedule.bot.custom
        )
    }

    /// A program of these parts.
    public init(id: BotID, kind: ExecutableKind, slot: Slot? = nil, config: JSONObject, custom: CustomBotVersion) {
        self.id = id
        self.kind = kind
        self.slot = slot
        self.config = config
        self.custom = custom
    }
}
