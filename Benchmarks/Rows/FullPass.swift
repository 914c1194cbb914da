import TestSupport
import Util

/// CPU time of a full pass over a fleet that is as it should be.
enum FullPass {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let count = bench.scale.fleet
        return try await Platform.with { platform in
            try await Fleet.with(count, bench, platform, interval: "3s", collectsLogs: false) { fleet in
                try await measure(fleet, passes: max(4, bench.scale.rounds * 2), count: count)
            }
        }
    }

    private static func measure(_ fleet: Fleet, passes: Int, count: Int) async throws -> Report {
        var (cpu, wall) = (Samples(), Samples())
        var before = try await reading(fleet)
        let begin = before
        for number in 1...passes {
            let after = try await eventuallyValue(within: .seconds(60), "another full pass") {
                // Asking costs CPU too, which counts here.
                try await Task.sleep(for: .milliseconds(400))
                let now = try await reading(fleet)
                return now.passes > before.passes ? now : nil
            }
            let made = Double(after.passes - before.passes)
            cpu.add((after.cpu - before.cpu) / made)
            wall.add((after.wall - before.wall) / made)
            say("pass: \(number) of \(passes): \(time(cpu.values.last ?? 0)) of CPU, \(time(wall.values.last ?? 0))")
            before = after
        }
        let all = (before.cpu - begin.cpu) / Double(before.passes - begin.passes)
        return Report(
            figures: [
                Figure(
                    "full pass over \(count) bots: CPU",
                    "\(time(cpu.median)) (mean of all \(time(all)))",
                    spread: cpu.range(time),
                    target: "≤ 0.4 s of CPU (for 10,000)",
                    isReached: cpu.median <= 0.4
                ),
                Figure("the same by the clock", time(wall.median), spread: wall.range(time)),
            ],
            notes: [
                "CPU time is `process_cpu_seconds_total` from one pass to the next, so all that the process does in three seconds "
                    + "counts as the pass: the bus, the change stream and answering `/metrics` too.",
                "Documents come from MongoDB's stand-in, as they are written by the platform; the engine is a recorded fake in "
                    + "another process that answers with the list a real engine would give. It has no output, so none is collected.",
            ]
        )
    }

    private static func reading(_ fleet: Fleet) async throws -> (passes: Int, cpu: Double, wall: Double) {
        let metrics = try await fleet.process.metrics()
        let name = "reconcile_pass_duration_seconds"
        guard let passes = metrics["\(name)_count"], let cpu = metrics["process_cpu_seconds_total"] else {
            throw FixtureError("/metrics has no \(name)_count or no process_cpu_seconds_total")
        }
        return (Int(passes), cpu, metrics["\(name)_sum"] ?? .nan)
    }
}
