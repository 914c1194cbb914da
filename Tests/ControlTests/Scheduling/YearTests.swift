import Foundation
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import Control

/// A year of 200 schedules in several zones, with one or two schedulers that are killed at any of their calls.
@Suite struct YearTests {
    private static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns",
        "Africa/Casablanca", "Pacific/Apia",
    ]
    private static let expressions = [
        "0 9 * * MON-FRI", "30 2 * * *", "30 1 * * *", "0 0 1 * *", "15 */12 * * *", "0 12 L * *", "0 8 * * 5#3",
        "H H * * *", "59 23 * * SUN", "0 3,15 * * *", "45 6 LW * *", "0 0 29 2 *", "@weekly", "@every 13h",
    ]

    @Test(arguments: [1, 2]) func everySlotOfAYearIsAccountedForOnce(schedulers: Int) async throws {
        let seed = ProcessInfo.processInfo.environment["SOAK_SEED"].flatMap { UInt64($0) } ?? 20_261
        var random = SeededGenerator(seed: seed &+ UInt64(schedulers))
        let start = try RFC3339.parse("2026-01-01T00:00:00Z")
        let end = try RFC3339.parse("2027-01-01T00:00:00Z")
        let schedules = (0..<200).map { number in
            BotSchedule.sample(
                BotID("year-\(number)"),
                Self.expressions[number % Self.expressions.count],
                [
                    "timezone": .string(Self.zones[number % Self.zones.count]),
                    "overlap": ["forbid", "allow", "replace"][number % 3],
                    "missed": number % 3 == 2 ? "latest" : ["latest", "all", "skip"][number / 3 % 3],
                    "retries": .integer(Int64(number % 4 == 0 ? 2 : 0)),
                    "jitter": number % 5 == 0 ? "10m" : "0s",
                    // Without a limit some runs last until after the next slot.
                    "timeout": number % 2 == 0 ? "1h" : "0s",
                ]
            )
        }
        var simulation = Simulation(at: start, schedules) { key, attempt in
            // Some runs take longer than it is to the next slot, some fail, some are slower than they may be.
            let value = CronSpread.value(seed: "\(key.id.text) \(key.slot) \(attempt)")
            let takes: Int64 = value % 50 == 0 ? 100_000 : value % 7 == 0 ? 1800 : 30
            return (.seconds(takes), value % 11 == 0 ? 1 : 0)
        }
        var kills = 0
        while simulation.clock.now < end {
            while simulation.living.count < schedulers {
                // Hundreds of kills in a year; at times nobody is there for some hours.
                simulation.start(dyingAfter: Int.random(in: 0..<6000, using: &random))
                kills += 1
            }
            let next = await simulation.settle()
            if simulation.living.isEmpty, Int.random(in: 0..<3, using: &random) == 0 {
                let pause = Duration.seconds(Int.random(in: 60..<30_000, using: &random))
                simulation.clock.turn(to: simulation.clock.now.advanced(by: pause))
            } else if let next, !simulation.living.isEmpty {
                simulation.clock.turn(to: next)
            }
        }
        // A last one brings everything to its end.
        for process in simulation.living { process.process.kill() }
        simulation.living = []
        simulation.start()
        let rest = end.advanced(by: .seconds(3 * 86_400))
        while simulation.clock.now < rest, let next = await simulation.settle() { simulation.clock.turn(to: next) }
        #expect(kills > 50, "seed \(seed)")
        try check(simulation, schedules, from: start, to: end, seed)
    }

    private func check(
        _ simulation: Simulation,
        _ schedules: [BotSchedule],
        from start: Timestamp,
        to end: Timestamp,
        _ seed: UInt64
    ) throws {
        let ledger = simulation.ledger.all
        let engine = simulation.engine.state.withLock { $0 }
        var outcomes: [RunRecord.Outcome: Int] = [:]
        var missing: [String] = []
        for schedule in schedules {
            let rule = try ScheduleRule(schedule)
            var time = start
            while let slot = rule.expression.next(after: time), slot <= end {
                time = slot
                guard let run = ledger[RunKey(schedule.id, Slot(slot.secondsSince1970))] else {
                    missing.append("\(schedule.id) \(slot)")
                    continue
                }
                let starts = engine.starts[run.key] ?? []
                if let outcome = run.outcome { outcomes[outcome, default: 0] += 1 }
                // Never twice: each attempt once, in order, and further ones only where the policy says so.
                #expect(starts == Array(0..<starts.count) && starts.count <= run.retries + 1, "seed \(seed): \(run)")
                #expect(run.phase == .ended && run.outcome != nil, "seed \(seed): \(run)")
                switch run.outcome {
                // The latter where a start was broken off and nobody came for too long.
                case .skipped, .notStarted: #expect(starts.isEmpty && !run.reason.isEmpty, "seed \(seed): \(run)")
                case .succeeded, .failed, .timedOut, .replaced: #expect(!starts.isEmpty, "seed \(seed): \(run)")
                default: Issue.record("seed \(seed): \(run)")
                }
            }
            guard rule.policy.overlap != .allow else { continue }
            let spans = (engine.spans[schedule.id] ?? []).sorted { $0.begin < $1.begin }
            for (one, next) in zip(spans, spans.dropFirst()) {
                #expect(one.end <= next.begin, "seed \(seed): \(schedule.id) runs beside itself")
            }
        }
        #expect(missing.isEmpty, "seed \(seed)")
        let left = engine.runs.keys.filter { $0.slot.time <= end.secondsSince1970 }
        #expect(left.isEmpty, "seed \(seed): something is left in the engine")
        // Every way that leads to an end was taken.
        for outcome in [.succeeded, .failed, .timedOut, .replaced, .skipped] as [RunRecord.Outcome] {
            #expect(outcomes[outcome, default: 0] > 0, "seed \(seed): none \(outcome)")
        }
        #expect(outcomes[.skipped, default: 0] * 5 < outcomes[.succeeded, default: 0], "seed \(seed): \(outcomes)")
        print("year: \(outcomes.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", "))")
    }
}
