import Control
import Model
import Util

/// A schedule as people or machines read it.
struct ScheduleReport: Sendable {
    /// Empty where a document has none that can be read.
    var id = ""
    var expression: String?
    var zone: String?
    /// The next slot; nil when there is none, or none runs.
    var next: Timestamp?
    /// Whether nothing of it runs because somebody said so.
    var isOff = false
    /// The latest run.
    var last: RunRecord?
    /// Why it can't be used.
    var problem: String?

    /// What there is to say of a schedule.
    /// - Parameters:
    ///   - stored: as the store has it.
    ///   - last: its latest run.
    ///   - now: where its cursor wasn't reckoned by its present expression, the next slot is the first after that.
    init(_ stored: StoredSchedule, last: RunRecord?, now: Timestamp, zones: TimeZoneDatabase = .system) {
        id = stored.id?.text ?? ""
        self.last = last
        switch stored {
        case .off: isOff = true
        case .broken(_, let error): problem = "\(error.field) \(error.problem)"
        case .schedule(let schedule):
            expression = schedule.schedule
            isOff = !schedule.bot.isEnabled
            do throws(DocumentError) {
                let rule = try ScheduleRule(schedule, zones: zones)
                zone = rule.expression.zone.name
                isOff = isOff || rule.policy.isSuspended
                let cursor = schedule.cursor.basis == rule.basis ? schedule.cursor.time : nil
                next = isOff ? nil : cursor.map { Timestamp(secondsSince1970: $0) } ?? rule.expression.next(after: now)
            } catch {
                problem = "\(error.field) \(error.problem)"
            }
        }
    }

    static func table(_ reports: [ScheduleReport]) -> String {
        let rows = reports.map { report in
            [
                report.id, report.expression ?? "-", report.zone ?? "-",
                report.isOff ? "off" : report.next.map { "\($0)" } ?? "-", report.last.map(RunReport.state) ?? "-",
                report.problem ?? "",
            ]
        }
        return TextTable.render(header: ["SCHEDULE", "EXPRESSION", "ZONE", "NEXT", "LAST", "PROBLEM"], rows: rows)
    }

    static func json(_ reports: [ScheduleReport]) -> JSONValue {
        ["schedules": .array(reports.map(\.json))]
    }

    private var json: JSONValue {
        var object: JSONObject = ["enabled": .bool(!isOff)]
        if !id.isEmpty { object["id"] = .string(id) }
        object["schedule"] = expression.map { .string($0) }
        object["timezone"] = zone.map { .string($0) }
        object["next"] = next.map { .string("\($0)") }
        object["last"] = last.map { .object($0.document) }
        object["problem"] = problem.map { .string($0) }
        return .object(object)
    }
}
