/// One row of the table: a piece of work, and how it is measured.
struct Row: Sendable {
    /// What it is called on the command line.
    let name: String
    /// The work, in a few words.
    let title: String
    /// Measures it; leaves nothing in the engine.
    let run: @Sendable (BenchEnvironment) async throws -> Report

    /// All rows, in the table's order.
    static let all = [
        Row(name: "cold", title: "bots from cold to running", run: ColdStart.run),
        Row(name: "message", title: "NATS message to running, code and image cached", run: MessageToRunning.run),
        Row(name: "crash", title: "a crash noticed", run: CrashNoticed.run),
        Row(name: "pass", title: "full pass over a fleet, engine answered by a recorded fake", run: FullPass.run),
        Row(name: "wake", title: "one wake-up among a fleet", run: WakeUp.run),
        Row(name: "rest", title: "at rest, real bots", run: AtRest.run),
        Row(name: "growth", title: "at rest, growing fleet", run: Growth.run),
        Row(name: "logs", title: "bots logging 200 lines/s each", run: LoudLogs.run),
        Row(name: "whisper", title: "bots logging a line every 5 s", run: QuietLogs.run),
        Row(name: "peers", title: "against Swarm and docker-compose", run: Peers.run),
        Row(name: "cron", title: "cron expressions", run: CronSpeed.run),
        Row(name: "schedules", title: "schedules that are due, and at rest", run: Schedules.run),
    ]
}

/// How much is measured.
struct Scale: Sendable {
    let rounds: Int
    let bots: Int
    let fleet: Int
    let seconds: Int
}

/// What a row came to.
struct Report: Sendable {
    var figures: [Figure]
    /// Where the time goes, and what the figures leave out.
    var notes: [String]
}

/// One figure of the table.
struct Figure: Sendable {
    /// What was measured.
    let work: String
    /// The figure itself: a median where there were several samples.
    let measured: String
    /// How far the samples lie apart, and how many there were.
    let spread: String
    /// The aim; empty where there is none.
    let target: String
    /// Whether it is reached; nil where there is no aim.
    let isReached: Bool?

    init(_ work: String, _ measured: String, spread: String = "", target: String = "", isReached: Bool? = nil) {
        self.work = work
        self.measured = measured
        self.spread = spread
        self.target = target
        self.isReached = isReached
    }

    static func failed(_ work: String, _ reason: String) -> Figure {
        let line = reason.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300)
        return Figure(work, "not measured: \(line)", isReached: false)
    }

    /// The last column: an aim that isn't reached is said so.
    var verdict: String {
        switch isReached {
        case true: "yes"
        case false: "**no**"
        case nil: ""
        }
    }

    var cells: [String] { [work, measured, spread, target, verdict] }
}

extension Report {
    /// The figures for a terminal.
    var table: String {
        let rows = [["work", "measured", "spread", "to reach", "reached"]] + figures.map(\.cells)
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }
            return "  " + cells.joined(separator: "  ") + "\n"
        }.joined()
    }
}
