import TestSupport
import Util

/// What reading a cron expression and asking it for its next run take, in this process.
enum CronSpeed {
    private static let texts = [
        "* * * * *", "*/5 * * * *", "0 * * * *", "30 2 * * *", "0 9 * * MON-FRI", "0 9 * * 1", "15,45 8-18 * * *",
        "0 0 1 * *", "0 0 1,15 * *", "0 22 * * 1-5", "23 0-20/2 * * *", "5 4 * * SUN", "0 0 1 1 *", "0 12 1 */2 *",
        "*/10 * * * * *", "0 30 9 * * MON", "@hourly", "@daily", "@every 90s", "0 0 29 2 *",
    ]

    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let zone = try TimeZoneDatabase.system.rules(named: "Europe/Berlin")
        let expressions = try texts.map { try CronExpression($0, zone: zone) }
        let clock = ContinuousClock()
        var generator = SeededGenerator(seed: 1)
        var (parses, nexts) = (Samples(), Samples())
        var slowest = (text: "", time: 0.0)
        var sum: Int64 = 0
        for _ in 0..<(40 * bench.scale.rounds) {
            for (text, expression) in zip(texts, expressions) {
                let parse = try clock.measure {
                    for _ in 0..<100 { sum &+= try CronExpression(text, zone: zone).zone == zone ? 1 : 0 }
                }
                parses.add(parse.inSeconds / 100)
                let starts = (0..<100).map { _ in
                    Timestamp(secondsSince1970: .random(in: 1_577_836_800..<2_208_988_800, using: &generator))
                }
                let next = clock.measure {
                    for start in starts { sum &+= expression.next(after: start)?.secondsSince1970 ?? 0 }
                }
                nexts.add(next.inSeconds / 100)
                if next.inSeconds / 100 > slowest.time { slowest = (text, next.inSeconds / 100) }
            }
        }
        // Its use keeps the compiler from leaving the work out.
        guard sum > 0 else { throw FixtureError("no expression was read") }
        return Report(
            figures: [
                Figure(
                    "cron: reading an expression",
                    "median \(time(parses.median))",
                    spread: parses.quartiles(time),
                    target: "median ≤ 1 µs",
                    isReached: parses.median <= 1e-6
                ),
                Figure(
                    "cron: the next run",
                    "median \(time(nexts.median))",
                    spread: nexts.quartiles(time),
                    target: "median ≤ 2 µs",
                    isReached: nexts.median <= 2e-6
                ),
            ],
            notes: [
                "\(texts.count) expressions in Europe/Berlin, after random times from 2020 to 2040; each sample is the mean of "
                    + "100 calls. The slowest sample of the next run was `\(slowest.text)`."
            ]
        )
    }
}
