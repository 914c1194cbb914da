import Foundation
import Model
import TestSupport
import Util

/// Bots that write numbered lines from one moment on, all of which must be in the object store afterwards, once and in order.
struct LoggingBots: Sendable {
    /// Lines of each bot in a second, and for how many seconds.
    let rate: Double
    let seconds: Int
    /// How many lines are written at once.
    let batch: Int
    let ids: [String]
    /// Lines of each bot.
    var lines: Int { Int(rate * Double(seconds)) }

    /// Time to start the bots in, before the first line is due.
    static let lead = 45

    static let program = """
        import json, os, sys, time
        config = json.loads(os.environ["BOT_CONFIG"])
        name, begin, rate = os.environ["BOT_ID"], config["begin"], config["rate"]
        number = 0
        while number < config["lines"]:
            wait = begin + number / rate - time.time()
            if wait > 0:
                time.sleep(wait)
            text = ""
            for number in range(number + 1, number + config["batch"] + 1):
                text += f"{name} {number} {'x' * 80}\\n"
            sys.stdout.write(text)
            sys.stdout.flush()

        """

    func entries(key: String, begin: Timestamp) -> [BotEntry] {
        ids.map { id in
            BotEntry(
                id: id,
                key: key,
                config: [
                    "begin": .integer(begin.secondsSince1970), "rate": .double(rate), "lines": .integer(Int64(lines)),
                    "batch": .integer(Int64(batch)),
                    // A bot that is done isn't started again.
                    "execution": ["restart": ["initial": "1h", "maximum": "1h"]],
                ]
            )
        }
    }

    /// The numbers of a bot's lines, as the object store has them.
    func stored(_ id: String, _ platform: Platform, since begin: Timestamp) async throws -> [Int] {
        var numbers: [Int] = []
        for day in Self.days(from: begin) {
            guard let text = try await platform.object("bot-logs", "logs/\(id)/\(day).log") else { continue }
            for line in text.split(separator: "\n") {
                guard let message = try JSONValue.parse(String(line)).object?["message"]?.string else {
                    throw FixtureError("\(id): a stored line without a message: \(line.prefix(200))")
                }
                let words = message.split(separator: " ")
                guard words.count == 3, words[0] == id, words[2].utf8.count == 80, let number = Int(words[1]) else {
                    throw FixtureError("\(id): a stored line that no bot wrote: \(line.prefix(200))")
                }
                numbers.append(number)
            }
        }
        return numbers
    }

    /// The days in UTC on which lines may have been written since a time.
    private static func days(from begin: Timestamp) -> [String] {
        let end = Timestamp.now.secondsSince1970
        let days = stride(from: begin.secondsSince1970, through: end, by: 3600).map { $0 } + [end]
        let names = days.map { second in
            String(RFC3339.string(millisecondsSince1970: second * 1000).prefix(10).filter { $0 != "-" })
        }
        return Set(names).sorted()
    }

    /// What is wrong with stored lines; nil when each is there once, in order.
    func fault(_ numbers: [Int]) -> String? {
        guard numbers != Array(1...lines) else { return nil }
        let missing = Set(1...lines).subtracting(numbers).count
        let doubled = numbers.count - Set(numbers).count
        return "\(missing) lines missing, \(doubled) doubled" + (missing + doubled == 0 ? ", out of order" : "")
    }
}

/// Runs logging bots under the program and looks at what became of their lines.
struct LoggingRun: Sendable {
    /// Share of a core: while lines came, and all CPU until they were stored over that time.
    let during: Double
    let untilStored: Double
    let resident: Double
    /// How long after the last line all were stored.
    let delay: Double
    let faults: [String]

    static func make(_ bots: LoggingBots, _ bench: BenchEnvironment, row: String) async throws -> LoggingRun {
        let instance = bench.instance(row)
        return try await Platform.with { platform in
            try await platform.upload(program: LoggingBots.program, key: "bench/\(row).zip", bench.folder)
            let begin = Timestamp.now.advanced(by: .seconds(LoggingBots.lead))
            let documents = bots.entries(key: "bench/\(row).zip", begin: begin).map { JSONValue($0.document) }
            try await platform.replaceBots(documents, bench.folder)
            let process = try RuntimeProcess(
                ["bot-runner"],
                environment: bench.settings(instance).merging(platform.environment) { own, _ in own },
                log: bench.folder.file("\(row).log")
            )
            do {
                let run = try await watch(bots, process, platform, begin, row: row)
                await process.stop()
                try await bench.api.removeAll(label: "runtime.instance=\(instance)")
                return run
            } catch {
                await process.stop()
                throw FixtureError("\(error)\n\(process.output.suffix(2000))")
            }
        }
    }

    private static func watch(
        _ bots: LoggingBots,
        _ process: RuntimeProcess,
        _ platform: Platform,
        _ begin: Timestamp,
        row: String
    ) async throws -> LoggingRun {
        try await process.waitUntilReady()
        try await eventually(within: .seconds(LoggingBots.lead), "\(bots.ids.count) bots run before the first line") {
            try await process.metrics()["bot_starts_total"] == Double(bots.ids.count)
        }
        say("\(row): \(bots.ids.count) bots run; lines begin in \(time(begin.seconds(since: .now)))")
        try await sleep(until: begin)
        let before = try process.usage
        var resident = before.resident
        let end = begin.advanced(by: .seconds(bots.seconds))
        while Timestamp.now < end {
            try await Task.sleep(for: .seconds(1))
            resident = max(resident, try process.usage.resident)
        }
        let after = try process.usage
        say("\(row): all lines written, \(share(after.share(since: before))); waiting until they are stored")
        for id in bots.ids {
            try await eventually(within: .seconds(600), "all \(bots.lines) lines of \(id) in the object store") {
                let count = try await bots.stored(id, platform, since: begin).count
                if count < bots.lines { try await Task.sleep(for: .seconds(2)) }
                return count >= bots.lines
            }
        }
        let stored = try process.usage
        let delay = Timestamp.now.seconds(since: end)
        await process.stop()
        var faults: [String] = []
        for id in bots.ids {
            let fault = bots.fault(try await bots.stored(id, platform, since: begin))
            if let fault { faults.append("\(id): \(fault)") }
        }
        return LoggingRun(
            during: after.share(since: before),
            untilStored: stored.cpu(since: before) / Double(bots.seconds),
            resident: max(resident, stored.resident),
            delay: delay,
            faults: faults
        )
    }

    private static func sleep(until time: Timestamp) async throws {
        let left = time.seconds(since: .now)
        if left > 0 { try await Task.sleep(for: .seconds(left)) }
    }
}
