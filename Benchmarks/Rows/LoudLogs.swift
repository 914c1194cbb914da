/// Bots that write much: nothing lost, nothing doubled, at a small cost.
enum LoudLogs {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let bots = LoggingBots(
            rate: 200,
            seconds: bench.scale.seconds,
            batch: 10,
            ids: BotDirectory.ids(bench.scale.bots)
        )
        let run = try await LoggingRun.make(bots, bench, row: "logs")
        let all = bots.lines * bots.ids.count
        return Report(
            figures: [
                Figure(
                    "\(bots.ids.count) bots logging 200 lines/s each for \(bots.seconds) s: lines",
                    run.faults.isEmpty ? "all \(all) once and in order" : run.faults.prefix(3).joined(separator: "; "),
                    target: "nothing lost or doubled",
                    isReached: run.faults.isEmpty
                ),
                Figure(
                    "the same: CPU",
                    share(run.untilStored),
                    spread: "\(share(run.during)) while lines came",
                    target: "≤ 25 % of a core",
                    isReached: run.untilStored <= 0.25
                ),
                Figure(
                    "the same: most resident",
                    megabytes(run.resident),
                    target: "≤ 60 MB",
                    isReached: run.resident <= 60e6
                ),
            ],
            notes: [
                "Every line is numbered, read back from the object store and checked. Bots write ten lines at a time, of about "
                    + "100 bytes. CPU counts until the last line was stored, \(time(run.delay)) after it was written (as far as "
                    + "this program noticed, which reads one bot's object after the other), and is given for the time in which "
                    + "lines came."
            ]
        )
    }
}
