import Model
import TestSupport
import Util

/// CPU and memory of the program while none of its schedules is due.
enum SchedulesAtRest {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let count = bench.scale.fleet
        return try await Platform.with { platform in
            let none = try await measure(0, rounds: 1, bench, platform)
            let all = try await measure(count, rounds: min(3, bench.scale.rounds), bench, platform)
            return report(none, all, count, bench.scale)
        }
    }

    private static func measure(
        _ count: Int,
        rounds: Int,
        _ bench: BenchEnvironment,
        _ platform: Platform
    ) async throws -> (cpu: Samples, memory: Samples, most: Double) {
        let entries = count > 0 ? try ScheduleEntry.idle(count, after: .now) : []
        try await platform.replaceSchedules(entries.map { JSONValue($0.document) }, bench.folder)
        let process = try RuntimeProcess(
            ["bot-scheduler"],
            environment: bench.settings(bench.instance("schedules")).merging(platform.environment) { own, _ in own },
            log: bench.folder.file("schedules.log")
        )
        do {
            try await process.waitUntilReady()
            try await eventually(within: .seconds(60), "\(count) schedules are known") {
                try await process.metrics()["schedules"] == Double(count)
            }
            say("schedules: \(count) are known; letting the program settle")
            try await Task.sleep(for: .seconds(min(35, bench.scale.seconds)))
            var (cpu, memory) = (Samples(), Samples())
            for round in 1...rounds {
                let before = try process.usage
                try await Task.sleep(for: .seconds(bench.scale.seconds))
                let after = try process.usage
                cpu.add(after.share(since: before))
                memory.add(after.resident)
                let used = "\(share(after.share(since: before))), \(megabytes(after.resident))"
                say("schedules: \(count) at rest, minute \(round) of \(rounds): \(used)")
            }
            let most = try process.usage.mostResident
            let claimed = try await process.metrics()["schedule_slots_claimed_total"] ?? 0
            guard claimed == 0 else { throw FixtureError("\(claimed) slots were claimed; expected rest") }
            await process.stop()
            return (cpu, memory, most)
        } catch {
            await process.stop()
            throw FixtureError("\(error)\n\(process.output.suffix(2000))")
        }
    }

    private static func report(
        _ none: (cpu: Samples, memory: Samples, most: Double),
        _ all: (cpu: Samples, memory: Samples, most: Double),
        _ count: Int,
        _ scale: Scale
    ) -> Report {
        Report(
            figures: [
                Figure(
                    "at rest, \(count) schedules: CPU over \(scale.seconds) s",
                    "\(share(all.cpu.median)); without a schedule \(share(none.cpu.median))",
                    spread: all.cpu.range(share),
                    target: "≤ 0.1 % of a core (for 10,000)",
                    isReached: all.cpu.median <= 0.001
                ),
                Figure(
                    "at rest, \(count) schedules: resident",
                    "\(megabytes(all.memory.median)); without a schedule \(megabytes(none.memory.median))",
                    spread: "\(all.memory.range(megabytes)); most in passes \(megabytes(all.most))",
                    target: "≤ 80 MB (for 10,000)",
                    isReached: all.memory.median <= 80e6
                ),
            ],
            notes: [
                "At rest the program itself is measured, `runtime bot-scheduler` with MongoDB's stand-in (change stream), NATS "
                    + "(JetStream), S3 and a real engine, every interval at its default: it reads all schedules again as seldom as "
                    + "keeps that at a thousandth of the time, and 10 s apart at least."
            ]
        )
    }
}
