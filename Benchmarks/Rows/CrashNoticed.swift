import TestSupport
import Util

/// From the engine's `die` event to the program's own log line about it.
enum CrashNoticed {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let instance = bench.instance("crash")
        let count = max(20, bench.scale.rounds * 24)
        let store = try await BotDirectory(
            bench.folder,
            name: "store-crash",
            program: BotProgram.crasher,
            bots: BotDirectory.ids(min(10, bench.scale.bots))
        )
        return try await EngineEvents.watching(bench.api) { events in
            let process = try RuntimeProcess(
                ["bot-runner", "--store", store.path],
                environment: bench.settings(instance).merging(["RESTART_INITIAL": "1s", "RESTART_MAXIMUM": "1s"]) {
                    _,
                    new in new
                },
                log: bench.folder.file("crash.log")
            )
            do {
                let mark = (name: "runtime.instance", value: instance)
                say("crash: waiting for \(count) crashes")
                let crashes = try await events.wait(
                    for: count,
                    "die",
                    since: process.spawnedAt,
                    label: mark,
                    within: .seconds(60 + count * 3)
                )
                // Whatever is to be noticed is noticed by then.
                try await Task.sleep(for: .seconds(1))
                await process.stop()
                let report = report(crashes, process.entries)
                try await bench.api.removeAll(label: "runtime.instance=\(instance)")
                return report
            } catch {
                await process.stop()
                throw FixtureError("\(error)\n\(process.output.suffix(2000))")
            }
        }
    }

    private static func report(_ crashes: [EngineEvent], _ entries: [LogEntry]) -> Report {
        var noticed = entries.filter { $0.message == "bot backing-off" }
        var samples = Samples()
        var unnoticed = 0
        for crash in crashes {
            // The log's times are whole milliseconds, rounded down: half of one is added.
            let found = noticed.firstIndex { entry in
                entry.metadata["bot"] == crash.labels["runtime.id"] && entry.time.seconds(since: crash.time) > -0.001
            }
            guard let found else {
                unnoticed += 1
                continue
            }
            samples.add(noticed.remove(at: found).time.seconds(since: crash.time) + 0.0005)
        }
        let p99 = samples.quantile(0.99)
        let lost = unnoticed == 0 ? "" : "; \(unnoticed) of them without a line in the log"
        return Report(
            figures: [
                Figure(
                    "a crash noticed after the engine's own timestamp",
                    "p99 \(time(p99)), median \(time(samples.median))\(lost)",
                    spread: samples.quartiles(time),
                    target: "p99 ≤ 50 ms",
                    isReached: p99 <= 0.05 && unnoticed == 0
                )
            ],
            notes: [
                "Ten bots that end with an error after two to five seconds and are started again after one, so that other "
                    + "containers are being started when one dies. The time is that of the program's log line, which it "
                    + "writes after it has inspected the container."
            ]
        )
    }
}
