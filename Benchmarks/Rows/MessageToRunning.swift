import TestSupport
import Util

/// From a message on the bus to a running bot, against one raw create and start.
enum MessageToRunning {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let recording = try await bench.recorded()
        return try await Platform.with { platform in
            try await platform.upload(program: BotProgram.sleeper, key: "bench/message.zip", bench.folder)
            return try await EngineEvents.watching(bench.api) { events in
                let raw = RawStarts(api: bench.api, recording: recording, events: events)
                return try await measure(bench, platform, events, raw)
            }
        }
    }

    private static func measure(
        _ bench: BenchEnvironment,
        _ platform: Platform,
        _ events: EngineEvents,
        _ raw: RawStarts
    ) async throws -> Report {
        let instance = bench.instance("message")
        let process = try RuntimeProcess(
            ["bot-runner"],
            environment: bench.settings(instance).merging(platform.environment) { own, _ in own },
            log: bench.folder.file("message.log")
        )
        do {
            try await process.waitUntilReady()
            // Code, image and network are had with the first one.
            _ = try await message(platform, events, process, number: 0)
            var (ours, created, floor) = (Samples(), Samples(), Samples())
            let count = max(6, bench.scale.rounds * 6)
            for number in 1...count {
                floor.add(try await raw.one())
                let sample = try await message(platform, events, process, number: number)
                ours.add(sample.start)
                created.add(sample.create)
                if number % 6 == 0 {
                    say("message: \(number) of \(count): \(time(ours.median)), floor \(time(floor.median))")
                }
            }
            await process.stop()
            return report(ours, created, floor)
        } catch {
            await process.stop()
            throw FixtureError("\(error)\n\(process.output.suffix(2000))")
        }
    }

    /// Publishes a bot, waits until it runs, and has it deleted again.
    private static func message(
        _ platform: Platform,
        _ events: EngineEvents,
        _ process: RuntimeProcess,
        number: Int
    ) async throws -> (create: Double, start: Double) {
        let publisher = try platform.publisher()
        let bot = BotEntry(id: "message-\(number)", key: "bench/message.zip")
        let mark = (name: "runtime.id", value: bot.id)
        let sent = try publisher.publish("the0.bot.created", bot.event)
        let started = try await events.wait(for: 1, "start", since: sent, label: mark)
        let created = events.all("create", since: sent, label: mark)
        try await Task.sleep(for: .milliseconds(300))
        try publisher.publish("the0.bot.deleted", #"{"id": "\#(bot.id)", "config": {}}"#)
        _ = try await events.wait(for: 1, "destroy", since: sent, label: mark)
        guard let start = started.first, let create = created.first else { throw FixtureError("\(bot.id): no events") }
        return (create.time.seconds(since: sent), start.time.seconds(since: sent))
    }

    private static func report(_ ours: Samples, _ created: Samples, _ floor: Samples) -> Report {
        let ratio = ours.median / floor.median
        return Report(
            figures: [
                Figure(
                    "NATS message to running, against one raw create and start",
                    "\(times(ratio)) (\(time(ours.median)) / \(time(floor.median)))",
                    spread: "program \(ours.quartiles(time)); floor \(floor.quartiles(time))",
                    target: "median ≤ 1.3 × (the Go runtime: 116 ×)",
                    isReached: ratio <= 1.3
                )
            ],
            notes: [
                "From the message's `send` to the engine's `start` event, by JetStream, with the bot written to the database "
                    + "first; until the engine has created the container: \(time(created.median)).",
                "MongoDB is a stand-in (`secantusd`), which is started with `--sync-on-commit`: its writes wait for the disk.",
            ]
        )
    }
}
