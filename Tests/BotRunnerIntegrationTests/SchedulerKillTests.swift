import Foundation
import Model
import TestSupport
import Testing

/// Two schedulers on one database and engine, one or the other killed at random instants while slots come.
///
/// `SOAK_FAULTS` says how often, `SOAK_SEED` repeats a run: what happens and when is drawn from it.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(60)))
    func f28f29SlotsRunOnceThoughSchedulersAreKilledAtRandomInstants() async throws {
        let plan = SoakPlan(faults: 10, seconds: 0)
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.job()))
            let long = try await platform.upload(.file("main.py", Program.job(seconds: 2)))
            let ids = ["kill-a", "kill-b", "kill-c"]
            let every: JSONValue = ["overlap": "allow", "missed": "all", "timeout": "5m"]
            let alone: JSONValue = ["overlap": "forbid", "timeout": "5m"]
            try await platform.put(
                schedules: BotEntry(ids[0], code: code, config: ["schedule": "*/4 * * * * *", "execution": every]),
                BotEntry(ids[1], code: long, config: ["schedule": "*/5 * * * * *", "execution": every]),
                BotEntry(ids[2], code: long, config: ["schedule": "*/3 * * * * *", "execution": alone])
            )
            var random = SeededGenerator(seed: plan.seed)
            var living = [try stage.scheduler("--check-interval", "1s"), try stage.scheduler("--check-interval", "1s")]
            for kill in 1...plan.faults {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...5000, using: &random)))
                let victim = Int.random(in: 0...1, using: &random)
                await living[victim].kill()
                living[victim] = try stage.scheduler("--check-interval", "1s")
                if kill.isMultiple(of: 10) { plan.report("\(kill) kills of \(plan.faults)") }
            }
            // Few kills are over before a schedule has had slots.
            try await slowly(within: .seconds(60), "seed \(plan.seed): each schedule has had three slots") {
                let runs = try await stage.runs()
                return ids.allSatisfy { id in runs.count { $0.schedule == id } >= 3 } ? true : nil
            }
            for id in ids { try await platform.set(schedule: id, ["enabled": false]) }
            // What was just being started and left no trace is taken over after a minute and a half.
            let runs = try await slowly(within: .seconds(400), "seed \(plan.seed): every run has ended") {
                () -> [RunEntry]? in
                let first = try await stage.runs()
                guard first.allSatisfy({ $0.phase == "ended" && $0.result != nil }) else { return nil }
                try await Task.sleep(for: .seconds(3))
                let second = try await stage.runs()
                return first == second ? second : nil
            }
            for id in ids { Self.check(runs.filter { $0.schedule == id }, of: id, stage, plan.seed) }
            // What was taken over leaves its trace for an hour, in case whoever began it goes on after all.
            let traces = Set(runs.filter { $0.takeovers > 0 }.map { "\($0.schedule) \($0.slot)" })
            try await slowly(within: .seconds(60), "seed \(plan.seed): nothing is left but traces of \(traces)") {
                let left = try await stage.containers()
                return left.allSatisfy { !$0.isRunning && traces.contains("\($0.bot) \($0.slot)") } ? true : nil
            }
            for scheduler in living { #expect(await scheduler.terminate(within: .seconds(15)) == .exited(0)) }
        }
    }

    private static func check(_ runs: [RunEntry], of id: String, _ stage: Stage, _ seed: UInt64) {
        let slots = runs.map(\.slot).sorted()
        #expect(slots.count >= 3, "seed \(seed): \(id)")
        // Each slot from the first one that the history still has, which is of a hundred runs, has its record, and each record
        // its slot.
        let step = zip(slots, slots.dropFirst()).map { $1 - $0 }.min() ?? 1
        let whole = stride(from: slots.first ?? 0, through: slots.last ?? 0, by: Int(step)).map { Int64($0) }
        #expect(slots == whole, "seed \(seed): \(id)")
        for run in runs {
            let isFine =
                run.outcome == "succeeded" || (run.outcome == "skipped" && !run.reason.isEmpty)
            #expect(isFine && run.attempt == 0, "seed \(seed): \(run)")
        }
        // From the engine's own events: as many starts as runs that were started, none in the same container twice.
        let starts = stage.happenings("start", of: id)
        #expect(Set(starts.map(\.subject)).count == starts.count, "seed \(seed): \(id)")
        let names = starts.compactMap { $0.attributes["runtime.slot"] }
        let kept = names.compactMap { Int64($0) }.filter { $0 >= slots.first ?? 0 }
        #expect(kept.count == runs.count { $0.outcome == "succeeded" }, "seed \(seed): \(id)")
        #expect(names.count == starts.count && Set(names).count == names.count, "seed \(seed): \(id) ran a slot twice")
    }
}
