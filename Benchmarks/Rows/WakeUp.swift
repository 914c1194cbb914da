import TestSupport
import Util

/// CPU time of one wake-up by an event that changes nothing, among a fleet.
enum WakeUp {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        try await Platform.with { platform in
            try await Fleet.with(bench.scale.fleet, bench, platform, interval: "1h", collectsLogs: false) { fleet in
                var (cpu, idle) = (Samples(), Samples())
                var listsOfAll: Int64 = 0
                for round in 1...bench.scale.rounds {
                    let sample = try await wake(fleet, count: min(200, fleet.bots.count))
                    cpu.add(sample.cpu)
                    idle.add(sample.idle)
                    listsOfAll += sample.listsOfAll
                    say("wake: round \(round) of \(bench.scale.rounds): \(time(sample.cpu)) each")
                }
                return report(cpu, idle, listsOfAll, bench.scale.fleet)
            }
        }
    }

    /// CPU for each of so many wake-ups, and what the process would have used in the same time anyway.
    private static func wake(_ fleet: Fleet, count: Int) async throws -> (cpu: Double, idle: Double, listsOfAll: Int64)
    {
        let publisher = try fleet.platform.publisher()
        let resting = try fleet.process.usage
        try await Task.sleep(for: .seconds(3))
        let before = try fleet.process.usage
        let idle = before.share(since: resting)
        let counters = try await fleet.engine.counters()
        let begin = ContinuousClock.now
        for bot in fleet.bots.shuffled().prefix(count) {
            try publisher.publish("the0.bot.updated", bot.event)
            try await Task.sleep(for: .milliseconds(10))
        }
        try await eventually(within: .seconds(60), "\(count) bots were looked at") {
            try await fleet.engine.counters().listsOfOne >= counters.listsOfOne + Int64(count)
        }
        // Whatever follows of the last of them.
        try await Task.sleep(for: .milliseconds(500))
        let cpu = try fleet.process.usage.cpu(since: before)
        let seconds = begin.duration(to: .now).inSeconds
        let listsOfAll = try await fleet.engine.counters().listsOfAll - counters.listsOfAll
        return (cpu / Double(count), idle * seconds / Double(count), listsOfAll)
    }

    private static func report(_ cpu: Samples, _ idle: Samples, _ listsOfAll: Int64, _ count: Int) -> Report {
        Report(
            figures: [
                Figure(
                    "one wake-up among \(count) bots: CPU",
                    "\(time(cpu.median)), lists of all containers: \(listsOfAll)",
                    spread: "\(cpu.range(time)), each the mean of up to 200",
                    target: "≤ 5 ms of CPU, without listing all",
                    isReached: cpu.median <= 0.005 && listsOfAll == 0
                )
            ],
            notes: [
                "An update by NATS that changes nothing: it is written to the database, the bot is read from there, its container "
                    + "listed by its id and inspected, and nothing planned. \(time(idle.median)) of each are what the process "
                    + "uses at rest in that time."
            ]
        )
    }
}
