import TestSupport
import Util

/// CPU and memory while nothing happens, with real bots in a real engine.
enum AtRest {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let instance = bench.instance("rest")
        let count = bench.scale.bots
        return try await Platform.with { platform in
            try await platform.upload(program: BotProgram.sleeper, key: "bench/rest.zip", bench.folder)
            let bots = BotDirectory.ids(count).map { BotEntry(id: $0, key: "bench/rest.zip") }
            try await platform.replaceBots(bots.map { .init($0.document) }, bench.folder)
            let process = try RuntimeProcess(
                ["bot-runner"],
                environment: bench.settings(instance).merging(platform.environment) { own, _ in own },
                log: bench.folder.file("rest.log")
            )
            do {
                try await process.waitUntilReady()
                try await eventually(within: .seconds(240), "\(count) bots run") {
                    try await process.metrics()["bot_starts_total"] == Double(count)
                }
                say("rest: \(count) bots run; letting them settle")
                // Beyond the first pass after the starts.
                try await Task.sleep(for: .seconds(min(35, bench.scale.seconds)))
                let report = try await measure(process, bench, count)
                await process.stop()
                try await bench.api.removeAll(label: "runtime.instance=\(instance)")
                return report
            } catch {
                await process.stop()
                throw FixtureError("\(error)\n\(process.output.suffix(2000))")
            }
        }
    }

    private static func measure(
        _ process: RuntimeProcess,
        _ bench: BenchEnvironment,
        _ count: Int
    ) async throws -> Report {
        let rounds = min(3, bench.scale.rounds)
        var (cpu, memory) = (Samples(), Samples())
        for round in 1...rounds {
            let before = try process.usage
            try await Task.sleep(for: .seconds(bench.scale.seconds))
            let after = try process.usage
            cpu.add(after.share(since: before))
            memory.add(after.resident)
            let used = "\(share(after.share(since: before))), \(megabytes(after.resident))"
            say("rest: minute \(round) of \(rounds): \(used)")
        }
        return Report(
            figures: [
                Figure(
                    "at rest, \(count) bots: CPU over \(bench.scale.seconds) s",
                    share(cpu.median),
                    spread: cpu.range(share),
                    target: "≤ 0.05 % of a core (the Go runtime: 0.05 %)",
                    isReached: cpu.median <= 0.0005
                ),
                Figure(
                    "at rest, \(count) bots: resident",
                    megabytes(memory.median),
                    spread: memory.range(megabytes),
                    target: "≤ 36 MB (the Go runtime: 43 MB)",
                    isReached: memory.median <= 36e6
                ),
            ],
            notes: [
                "With MongoDB (change stream), NATS (JetStream), S3 and a real engine, every interval at its default. CPU is the "
                    + "process's own clock (`clock_getcpuclockid`), resident memory is `VmRSS`, shared libraries included."
            ]
        )
    }
}
