import Control
import Model
import Util

/// Runs of schedules as people or machines read them.
enum RunReport {
    static func table(_ runs: [RunRecord], now: Timestamp) -> String {
        let rows = runs.map { run in
            [
                run.id.text, slot(run.slot), run.startedAt.map { "\($0.inSeconds)" } ?? "-", took(run, now: now),
                state(run), run.exitCode.map(String.init) ?? "-", reason(run),
            ]
        }
        return TextTable.render(
            header: ["SCHEDULE", "SLOT", "STARTED", "TOOK", "OUTCOME", "EXIT", "REASON"],
            rows: rows
        )
    }

    static func json(_ runs: [RunRecord]) -> JSONValue {
        ["runs": .array(runs.map { .object($0.document) })]
    }

    /// What became of a run, or how far it is.
    static func state(_ run: RunRecord) -> String { run.outcome?.rawValue ?? run.phase.rawValue }

    /// What a run is for.
    static func slot(_ slot: Slot) -> String {
        let time = "\(Timestamp(secondsSince1970: slot.time))"
        return slot.trigger == .manual ? "\(time) (asked for)" : time
    }

    private static func took(_ run: RunRecord, now: Timestamp) -> String {
        guard let start = run.startedAt else { return "-" }
        let duration = (run.endedAt ?? now).duration(since: start)
        let milliseconds = duration / .milliseconds(1)
        guard milliseconds > 0 else { return "0s" }
        // Nobody reads more digits than these.
        let step: Double = milliseconds < 10_000 ? 10 : milliseconds < 60_000 ? 100 : 1000
        return GoDuration.string(.milliseconds(Int64((milliseconds / step).rounded() * step)))
    }

    private static func reason(_ run: RunRecord) -> String {
        var parts: [String] = []
        if run.attempt > 0 { parts.append("attempt \(run.attempt + 1)") }
        if !run.reason.isEmpty { parts.append(run.reason) }
        if run.result == .superseded { parts.append("its result came after a newer one's") }
        return parts.joined(separator: "; ")
    }
}

extension Timestamp {
    /// For people: without the part below a second.
    var inSeconds: Timestamp { Timestamp(secondsSince1970: secondsSince1970) }
}
