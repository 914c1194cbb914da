import HTTP
import Synchronization
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
        let second = SecondOpinion(api: bench.api, instance: instance)
        return try await EngineEvents.watching(bench.api, onEvent: second.see) { events in
            async let asking: Void = second.ask()
            let process = try RuntimeProcess(
                ["bot-runner", "--store", store.path],
                environment: bench.settings(instance).merging([
                    "RESTART_INITIAL": "1s", "RESTART_MAXIMUM": "1s", "LOG_LEVEL": "debug",
                ]) {
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
                second.end()
                await asking
                let report = report(crashes, process.entries, second)
                try await bench.api.removeAll(label: "runtime.instance=\(instance)")
                return report
            } catch {
                await process.stop()
                throw FixtureError("\(error)\n\(process.output.suffix(2000))")
            }
        }
    }

    private static func report(_ crashes: [EngineEvent], _ entries: [LogEntry], _ second: SecondOpinion) -> Report {
        var noticed = entries.filter { $0.message == "bot ended" }
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
        let arrival = Samples(crashes.map { $0.readAt.seconds(since: $0.time) })
        let inspection = second.inspection
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
                    + "writes after it has inspected the container.",
                "The engine's part: its events reach another listener \(time(arrival.quantile(0.5))) (p99 "
                    + "\(time(arrival.quantile(0.99)))) after their own timestamp, and of every fifth container that died an "
                    + "inspection asked for at that moment was answered after \(time(inspection.median)) "
                    + "(\(inspection.range(time))): the engine holds the container until it has taken down its network.",
            ]
        )
    }

    /// What another client of the engine sees of the same crashes.
    private final class SecondOpinion: Sendable {
        private let api: EngineAPI
        private let instance: String
        private let number = Mutex(0)
        private let inspections = Mutex(Samples())
        private let deaths = AsyncStream.makeStream(of: String.self)

        init(api: EngineAPI, instance: String) {
            self.api = api
            self.instance = instance
        }

        var inspection: Samples { inspections.withLock { $0 } }

        func see(_ event: EngineEvent) {
            guard event.action == "die", event.labels["runtime.instance"] == instance else { return }
            let isChosen = number.withLock { number in
                number += 1
                return number % 5 == 0
            }
            if isChosen { deaths.continuation.yield(event.container) }
        }

        /// Inspects containers that died until the end.
        func ask() async {
            for await container in deaths.stream {
                let begin = ContinuousClock.now
                guard (try? await api.send(.get, "/containers/\(container)/json")) != nil else { continue }
                inspections.withLock { $0.add(begin.duration(to: .now).inSeconds) }
            }
        }

        func end() { deaths.continuation.finish() }
    }
}
