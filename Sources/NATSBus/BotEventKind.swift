import Model

/// Whose events they are.
public enum BotEventKind: String, Sendable, Hashable, CaseIterable {
    /// Live bots.
    case bot
    /// Bots that run on a schedule.
    case schedule = "bot-schedule"

    /// What their subjects begin with.
    var prefix: String { "the0.\(rawValue)." }

    /// Whether the `type` of a wrapped event, in lower case, speaks of the other kind.
    func isContradicted(by type: String) -> Bool {
        switch self {
        case .bot: type.contains("schedule")
        case .schedule: type.contains("bot") && !type.contains("schedule")
        }
    }

    /// Checks the fields to write, as far as the rest of the document, which isn't known here, allows.
    /// - Parameter isWhole: whether there may be no more to the document than these.
    func check(_ id: BotID, _ fields: JSONObject, isWhole: Bool) throws(DocumentError) {
        var whole = fields
        whole["id"] = .string(id.text)
        switch self {
        case .bot:
            if isWhole || fields["custom"] != nil { _ = try Bot(document: whole) }
        case .schedule:
            guard isWhole || (fields["custom"] != nil && fields["config"] != nil) else {
                if fields["custom"] != nil { _ = try Bot(document: whole) }
                if let config = fields["config"]?.object { try BotSchedule.checkExpression(of: config, id: id) }
                return
            }
            _ = try BotSchedule(document: whole)
        }
    }
}

extension BotSchedule {
    fileprivate static func checkExpression(of config: JSONObject, id: BotID) throws(DocumentError) {
        guard case .string(let text)? = config["schedule"], !text.utf8.contains(0) else {
            throw DocumentError(
                id: id.text,
                field: "config.schedule",
                problem: "is \(config["schedule"]?.kindName ?? "missing"); expected a cron expression"
            )
        }
    }
}
