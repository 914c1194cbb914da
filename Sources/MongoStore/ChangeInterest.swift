import Model

/// Which changes of a collection are told, and in which field they name a bot.
struct ChangeInterest: Sendable {
    /// What a change must match, for the server to tell it; nil for all.
    var match: JSONObject?
    /// The field of a document that names its bot.
    var idField = "id"

    /// Every change of documents that have their bot's id.
    static let everything = ChangeInterest()

    /// Changes of schedules except a cursor's move by a scheduler, which alone writes `cursor_mover`, anew with each: it changes
    /// nothing that another one doesn't find at the slot it waits for. A cursor that somebody else sets is told.
    static let schedules = ChangeInterest(match: ["updateDescription.updatedFields.cursor_mover": ["$exists": false]])

    /// Runs that somebody asks for.
    static let askedRuns = ChangeInterest(
        match: ["operationType": "insert", "fullDocument.trigger": .string(Slot.Trigger.manual.rawValue)],
        idField: "schedule_id"
    )
}
