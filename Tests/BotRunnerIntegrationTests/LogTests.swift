import Foundation
import Model
import TestSupport
import Testing

extension PlatformIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f19f20EveryLineIsStoredOnceThoughTheRunnerIsKilled() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(
                .file("main.py", Program.counter(lines: 20_000))
            )
            let endless = try await platform.upload(.file("main.py", Program.counter()))
            let quick = try await platform.upload(.file("main.py", Program.counter(lines: 3, exiting: 4)))
            try await platform.put(
                BotEntry("f19-shouts", code: code, config: Program.runsOnce),
                BotEntry("f19-goes-on", code: endless),
                BotEntry("f20-quick", code: quick, config: Program.runsOnce)
            )
            for _ in 0..<3 {
                let runner = try stage.runner()
                try await runner.waitForStatus("running", of: "f19-goes-on")
                try await Task.sleep(for: .milliseconds(700))
                await runner.kill()
            }
            let last = try stage.runner()
            try await last.waitForStatus("backing-off", of: "f19-shouts", "f20-quick")
            // What is removed is read to its end before.
            try await platform.delete("f19-goes-on")
            try await stage.absence(of: "f19-goes-on")
            #expect(await last.terminate() == .exited(0))

            let shouted = try CountedLines(try await platform.storedLines(of: "f19-shouts"))
            #expect(shouted.runs.map(\.count) == [20_000])
            #expect(shouted.problem == nil)
            let wentOn = try CountedLines(try await platform.storedLines(of: "f19-goes-on"))
            #expect(wentOn.runs.count == 1 && wentOn.problem == nil)
            let quickly = try CountedLines(try await platform.storedLines(of: "f20-quick"))
            #expect(quickly.runs.map(\.count) == [3] && quickly.problem == nil && quickly.ended == 1)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f23LogsWaitForAnObjectStoreThatIsDownFromTheStart() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.counter(lines: 500)))
            try await platform.put(BotEntry("f23-waits", code: code, config: Program.runsOnce))
            // Its code is cached, and it has written all, before the store goes; a runner that never saw the store is next.
            let first = try stage.runner("--collect-logs", "false")
            try await first.waitForStatus("backing-off", of: "f23-waits")
            await first.kill()
            await platform.objects.service.kill()
            let runner = try stage.runner()
            try await slowly("lines in the spool") { try await runner.metric("log_lines_total") >= 501 ? true : nil }
            let shown = try await stage.logs("f23-waits", "--tail", "2")
            #expect(shown.split(separator: "\n").last?.hasSuffix(" last") == true)
            try await platform.objects.service.start()
            try await slowly("the lines are stored") {
                try await runner.metric("log_stored_bytes_total") > 0 ? true : nil
            }
            #expect(await runner.terminate() == .exited(0))
            let lines = try CountedLines(try await platform.storedLines(of: "f23-waits"))
            #expect(lines.runs.map(\.count) == [500] && lines.problem == nil)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func theLogCommandShowsEveryLineOnceWhereverItLies() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.counter(lines: 50, exiting: 1)))
            let restarting: JSONObject = ["execution": ["restart": ["initial": "200ms", "maximum": "200ms"]]]
            try await platform.put(BotEntry("log-seam", code: code, config: restarting))
            let runner = try stage.runner()
            try await slowly("a few runs") { stage.happenings("die", of: "log-seam").count >= 4 ? true : nil }
            try await platform.set("log-seam", ["enabled": false])
            try await stage.absence(of: "log-seam")
            #expect(await runner.terminate() == .exited(0))
            let text = try await stage.logs("log-seam")
            let stored = try CountedLines(try await platform.storedLines(of: "log-seam"))
            let shown = CountedLines(text: text)
            #expect(shown.runs.count >= 4 && shown.runs == stored.runs && shown.problem == nil)
            #expect(shown.runs.allSatisfy { $0.count == 50 })
            #expect(try await stage.logs("log-seam", "--previous").contains(" last"))
            #expect(try await stage.logs("log-seam", "--tail", "1").hasSuffix(" last\n"))
            #expect(try await stage.logs("log-seam", "--since", "2100-01-01T00:00:00Z").isEmpty)
        }
    }
}

/// What the lines of `Program.counter` say.
struct CountedLines: Equatable {
    struct Run: Equatable {
        let name: String
        var count = 0
        var hasEnded = false
    }

    private(set) var runs: [Run] = []
    /// The first line that is missing, doubled or out of place.
    private(set) var problem: String?

    /// How many runs wrote their last line.
    var ended: Int { runs.count { $0.hasEnded } }

    /// Whether a container's last line is among them.
    func hasEnded(in container: String) -> Bool {
        runs.contains { $0.hasEnded && container.hasPrefix($0.name.prefix { $0 != "-" }) }
    }

    /// Lines as they are stored.
    init(_ lines: [JSONObject]) throws {
        for line in lines { add(line["message"]?.string ?? "\(line)") }
    }

    /// Lines as they are shown.
    init(text: String) {
        for line in text.split(separator: "\n") { add(String(line)) }
    }

    private mutating func add(_ line: String) {
        let parts = line.split(separator: " ")
        guard parts.count == 2 else { return note("a strange line: \(line)") }
        if runs.last?.name != String(parts[0]) {
            if runs.contains(where: { $0.name == parts[0] }) { note("\(line) comes among those of another run") }
            runs.append(Run(name: String(parts[0])))
        }
        let last = runs.count - 1
        if parts[1] == "last" {
            if runs[last].hasEnded { note("\(line) comes twice") }
            runs[last].hasEnded = true
        } else if Int(parts[1]) == runs[last].count {
            runs[last].count += 1
        } else {
            note("\(line) comes after \(runs[last].count) lines")
        }
    }

    private mutating func note(_ text: String) { problem = problem ?? text }
}
