import Foundation
import Model
import TestSupport
import Testing

/// The full pass comes once an hour here: what happens in seconds, an event has brought about.
private let rarely = ["--reconcile-interval", "1h"]

extension PlatformIntegration {
    /// Starts a runner and waits until it listens to events.
    private func listening(_ stage: Stage, stream: Bool) async throws -> RunnerProcess {
        let runner = try stage.runner(rarely)
        let message = stream ? "listening through a stream" : "listening without a stream"
        try await runner.waitForLog("a runner that listens") { $0.message.hasPrefix(message) }
        try await runner.waitUntilReady()
        return runner
    }

    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func f09AnEventStartsItsBotAtOnce(stream: Bool) async throws {
        try await Stage.withPlatform { stage, platform in
            if stream { try await platform.makeStream() }
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            // Its code, image and network are there by then.
            try await platform.put(BotEntry("first", code: code))
            let runner = try await listening(stage, stream: stream)
            try await runner.waitForStatus("running", of: "first")
            let published = try await platform.publish("created", BotEntry("second", code: code))
            try await slowly(within: .seconds(30), "a start") { stage.happenings("start", of: "second").first }
            let started = try #require(stage.happenings("start", of: "second").first?.seconds)
            print("f09: \(started - published) s from the event to the start")
            // Far below the thirty seconds of a poll; on an idle machine it is half a second.
            #expect(started - published < 10)
            #expect(try await platform.config(of: "second") == [:])
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f34EventsPublishedWhileNoRunnerWasUpAreNotLost() async throws {
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            let changes = BotEntry("changes", code: code, config: ["n": 1])
            try await platform.put(changes, BotEntry("leaves", code: code))
            let first = try await listening(stage, stream: true)
            try await first.waitForStatus("running", of: "changes", "leaves")
            let before = try await stage.container(of: "changes")
            await first.kill()

            try await platform.publish("created", BotEntry("new", code: code))
            try await platform.publish("updated", changes.with(config: ["n": 2]))
            try await platform.publish("deleted", BotEntry("leaves", code: code))
            _ = try await listening(stage, stream: true)
            try await stage.container(of: "new")
            try await stage.container(of: "changes") { $0.isRunning && $0.id != before.id }
            try await stage.absence(of: "leaves")
            #expect(try await platform.config(of: "changes") == ["n": 2])
            #expect(try await platform.config(of: "leaves") == nil)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func f35AfterAnOutageOfTheBusItListensAgain(stream: Bool) async throws {
        try await Stage.withPlatform { stage, platform in
            if stream { try await platform.makeStream() }
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            let runner = try await listening(stage, stream: stream)
            await platform.nats.service.kill()
            try await slowly("the outage is shown") {
                try await runner.get("/readyz").contains(#""nats":{"ok":false"#) ? true : nil
            }
            // Written meanwhile by somebody who could tell nobody.
            try await platform.put(BotEntry("meanwhile", code: code))
            try await platform.nats.service.start()
            try await stage.container(of: "meanwhile")
            try await runner.waitUntilReady()
            try await platform.publish("created", BotEntry("after", code: code))
            try await stage.container(of: "after")
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func f36EventsOfABotAreWorkedOffInTheirOrder(stream: Bool) async throws {
        try await Stage.withPlatform { stage, platform in
            if stream { try await platform.makeStream() }
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            let runner = try await listening(stage, stream: stream)
            var messages: [(subject: String, payload: String)] = []
            for round in 0..<10 {
                for number in 0..<4 {
                    let bot = BotEntry("bot-\(number)", code: code, config: ["round": .integer(Int64(round))])
                    let wrapped: JSONValue = [
                        "type": "bot.created", "entity_id": .string(bot.id), "data": bot.event,
                        "timestamp": "2026-01-02T03:04:05Z",
                    ]
                    messages.append(("the0.bot.deleted", bot.event.text))
                    messages.append(("the0.bot.created", wrapped.text))
                    messages.append(("the0.bot.updated", bot.event.text))
                    // The even ones are gone in the end.
                    if number.isMultiple(of: 2) { messages.append(("the0.bot.deleted", bot.event.text)) }
                }
            }
            messages.append(("the0.bot.created", BotEntry("last", code: code).event.text))
            try await platform.send(messages)
            try await stage.container(of: "last")
            for number in 0..<4 {
                let stays = !number.isMultiple(of: 2)
                #expect(try await platform.config(of: "bot-\(number)") == (stays ? ["round": 9] : nil))
            }
            for bot in ["bot-1", "bot-3"] {
                try await slowly("\(bot) as the last event has it") { () -> Bool? in
                    guard let container = try await stage.containers(of: bot).first, container.isRunning else {
                        return nil
                    }
                    return container.environment.contains(#"BOT_CONFIG={"round":9}"#) ? true : nil
                }
            }
            for bot in ["bot-0", "bot-2"] { try await stage.absence(of: bot) }
            #expect(await runner.terminate() == .exited(0))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f40AnEventRightAfterTheStartIsNotLost() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            for number in 1...3 {
                // Without a stream, what comes before the runner listens is lost: ready must mean that it does.
                let runner = try stage.runner(rarely)
                try await eventually(within: .seconds(60)) {
                    try await runner.get("/readyz").contains(#""ready":true"#)
                }
                try await platform.publish("created", BotEntry("bot-\(number)", code: code))
                try await stage.container(of: "bot-\(number)", within: .seconds(30))
                await runner.kill()
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f38NoParameterIsEverLogged() async throws {
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let secret = "SECRET-0f5be1"
            let config: JSONObject = ["exchange": ["apiKey": .string(secret)], "n": 1]
            let code = try await platform.upload(
                .file("main.py", "import time\ndef main(id, config): time.sleep(600)\n")
            )
            let bot = BotEntry("bot", code: code, config: config)
            var broken = bot.document.object ?? [:]
            broken["id"] = "broken"
            broken["custom"] = .string(secret)
            try await platform.put(
                bot,
                BotEntry("no-code", code: "absent.zip", config: config),
                BotEntry("no-runtime", code: code, config: config, runtime: "cobol"),
                BotEntry("bad-restart", code: code, config: ["execution": ["restart": ["initial": .string(secret)]]]),
                BotEntry("bad-memory", code: code, config: ["memory_limit": .string(secret)])
            )
            try await platform.put(documents: [.object(broken)])
            let runner = try stage.runner(
                rarely,
                environment: [
                    "LOG_LEVEL": "trace", "NATS_URL": "nats://reader:\(secret)@127.0.0.1:\(platform.nats.port)",
                ]
            )
            try await runner.waitForLog("a runner that listens") { $0.message == "listening through a stream" }
            try await runner.waitForStatus("running", of: "bot")
            try await runner.waitForStatus("start-failed", of: "no-code")
            try await runner.waitForStatus("invalid", of: "no-runtime", "bad-memory", "broken")
            let before = try await stage.container(of: "bot")
            // Events that are no JSON, of wrong types, of another form, too large, and one that can be used.
            var changed = config
            changed["n"] = 2
            try await platform.send([
                ("the0.bot.updated", #"{"id": "bot", "config": {"key": "\#(secret)"#),
                ("the0.bot.updated", #"{"id": 7, "config": "\#(secret)"}"#),
                ("the0.bot.updated", #"{"id": "bot", "config": "\#(secret)"}"#),
                ("the0.bot.updated", #"["\#(secret)"]"#),
                (
                    "the0.bot.updated",
                    "{\"id\": \"bot\", \"config\": {\"key\": \"\(secret)\", \"long\": \""
                        + String(repeating: "x", count: 1_040_000) + "\"}}"
                ),
                (
                    "the0.bot.created",
                    #"{"type": "\#(secret)", "entity_id": "bot", "data": {"config": {"key": "\#(secret)"}}}"#
                ),
                ("the0.bot.updated", bot.with(config: changed).event.text),
            ])
            try await stage.container(of: "bot") { $0.isRunning && $0.id != before.id }
            #expect(try await !runner.get("/readyz").contains(secret))
            #expect(try await !runner.get("/metrics").contains(secret))
            #expect(await runner.terminate() == .exited(0))
            #expect(runner.entries.contains { $0.level == "trace" || $0.level == "debug" })
            let showing = runner.output.split(separator: "\n").filter { $0.contains(secret) }
            #expect(showing.isEmpty, "\(showing.prefix(3))")
            let plan = try await stage.plan()
            #expect(!JSONValue.array(plan.values.map { .object($0) }).text.contains(secret))
        }
    }
}
