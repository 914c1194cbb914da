import Control
import Model
import Runtime
import Util

/// A survey of all bots as people or machines read it.
enum PlanReport {
    static func table(_ survey: Survey) -> String {
        let rows = survey.entries.map { entry in
            [
                entry.id.text, entry.plan.status.name, entry.plan.actions.map(\.summary).joined(separator: ", "),
                ([entry.plan.status.reason] + entry.observed.map(\.note)).filter { !$0.isEmpty }.joined(
                    separator: "; "
                ),
            ]
        }
        var lines = TextTable.render(header: ["BOT", "STATUS", "ACTIONS", "REASON"], rows: rows)
        for error in survey.unnamed { lines += "\nleft out: \(error)" }
        return lines
    }

    static func json(_ survey: Survey, reader: any RunOutputReading, lastLines: Int) async -> JSONValue {
        var bots: [JSONValue] = []
        for entry in survey.entries {
            var runs: [JSONValue] = []
            for run in entry.observed { runs.append(await json(run, reader: reader, lastLines: lastLines)) }
            bots.append([
                "id": .string(entry.id.text),
                "status": .string(entry.plan.status.name),
                "reason": .string(entry.plan.status.reason),
                "actions": .array(entry.plan.actions.map { .string($0.summary) }),
                "runs": .array(runs),
            ])
        }
        let unnamed = survey.unnamed.map { JSONValue.string($0.description) }
        return ["bots": .array(bots), "left_out": .array(unnamed)]
    }

    private static func json(_ run: ObservedRun, reader: any RunOutputReading, lastLines: Int) async -> JSONValue {
        var object: JSONObject = [
            "reference": .string(run.reference),
            "created_at": .string("\(run.createdAt)"),
            "attempt": .integer(Int64(run.attempt)),
        ]
        if !run.note.isEmpty { object["note"] = .string(run.note) }
        switch run.phase {
        case .created: object["phase"] = "created"
        case .leaving: object["phase"] = "leaving"
        case .running(let since):
            object["phase"] = "running"
            object["since"] = .string("\(since)")
        case .exited(let exit):
            object["phase"] = "exited"
            object["exit_code"] = .integer(Int64(exit.code))
            object["out_of_memory"] = .bool(exit.outOfMemory)
            object["started_at"] = .string("\(exit.startedAt)")
            object["finished_at"] = .string("\(exit.finishedAt)")
            if !exit.platformError.isEmpty { object["error"] = .string(exit.platformError) }
            guard lastLines > 0 else { break }
            do throws(RunnerError) {
                let lines = try await reader.lastLines(of: run, limit: lastLines)
                object["last_lines"] = .array(
                    lines.map { ["stream": .string($0.stream.rawValue), "text": .string($0.text)] }
                )
            } catch {
                object["last_lines_error"] = .string(error.message)
            }
        }
        return .object(object)
    }
}

extension Action {
    fileprivate var summary: String {
        switch self {
        case .start(_, let attempt): attempt == 0 ? "start" : "start (attempt \(attempt))"
        case .update(let run, _): "change \(run.reference.prefix(12))"
        case .remove(let run, let reason): "remove \(run.reference.prefix(12)) (\(reason.rawValue))"
        }
    }
}

extension BotStatus {
    /// Why the status is what it is, for a column; empty where the name says it all.
    var reason: String {
        switch self {
        case .running(let since): "since \(since.inSeconds)"
        case .starting, .replacing, .stopping, .stopped: ""
        case .backingOff(let until, let exit, let attempt):
            "exit code \(exit.code)\(exit.outOfMemory ? ", out of memory" : ""), start \(attempt) at \(until.inSeconds)"
        case .startFailed(let until, let reason): "\(reason); tried again at \(until.inSeconds)"
        case .invalid(let error, let isRunning): "\(error.field) \(error.problem)\(isRunning ? " (left running)" : "")"
        }
    }
}
