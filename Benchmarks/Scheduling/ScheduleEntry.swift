import Control
import Model
import Util

/// A scheduled bot as the platform writes it, with its cursor where a scheduler leaves it.
struct ScheduleEntry: Sendable {
    /// The document in MongoDB.
    let document: JSONObject
    /// The same as a store gives it.
    let schedule: BotSchedule

    /// A schedule whose next slot after a time is its cursor.
    /// - Parameter expression: a cron expression.
    init(id: String, expression: String, after now: Timestamp) throws {
        let entry = BotEntry(
            id: id,
            key: "bench/schedule.zip",
            config: [
                "schedule": .string(expression), "symbol": "BTC/USDT", "amount": 0.25, "exchange": "paper",
                "execution": ["overlap": "forbid", "timeout": "10m"],
            ],
            type: "scheduled"
        )
        var document = entry.document
        let rule = try ScheduleRule(try BotSchedule(document: document))
        document["next_execution_time"] = rule.expression.next(after: now).map { .integer($0.secondsSince1970) }
        document["cursor_basis"] = .string(rule.basis)
        self.document = document
        schedule = try BotSchedule(document: document)
    }

    /// So many schedules, each once a year, none of them due within days.
    static func idle(_ count: Int, after now: Timestamp) throws -> [ScheduleEntry] {
        // Months are of 30 days here, which is near enough: each is at least half a year away.
        let month = (now.secondsSince1970 / 86_400 / 30 + 6) % 12 + 1
        return try BotDirectory.ids(count).enumerated().map { number, id in
            let expression = "\(number % 60) \(number / 60 % 24) \(number % 28 + 1) \(month) *"
            return try ScheduleEntry(id: "idle-\(id)", expression: expression, after: now)
        }
    }

    /// So many schedules that are due together, in one second of every day.
    static func due(_ count: Int, at slot: Int64, named name: String = "due") throws -> [ScheduleEntry] {
        let (second, minute, hour) = (slot % 60, slot / 60 % 60, slot / 3600 % 24)
        let before = Timestamp(secondsSince1970: slot - 1)
        return try BotDirectory.ids(count).map { id in
            try ScheduleEntry(id: "\(name)-\(id)", expression: "\(second) \(minute) \(hour) * * *", after: before)
        }
    }
}
