/// Bots that write little: following them costs next to nothing.
enum QuietLogs {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let bots = LoggingBots(
            rate: 0.2,
            seconds: max(10, bench.scale.seconds),
            batch: 1,
            ids: BotDirectory.ids(bench.scale.bots)
        )
        let run = try await LoggingRun.make(bots, bench, row: "whisper")
        let all = bots.lines * bots.ids.count
        return Report(
            figures: [
                Figure(
                    "\(bots.ids.count) bots logging a line every 5 s: CPU",
                    share(run.during),
                    target: "≤ 0.15 % of a core (the Go runtime: 0.15 %, losing lines)",
                    isReached: run.during <= 0.0015
                ),
                Figure(
                    "the same: lines",
                    run.faults.isEmpty ? "all \(all) once and in order" : run.faults.prefix(3).joined(separator: "; "),
                    target: "nothing lost or doubled",
                    isReached: run.faults.isEmpty
                ),
            ],
            notes: [
                "CPU over \(bots.seconds) s in which lines came, everything else that the program does included."
            ]
        )
    }
}
