import Model
import TestSupport
import Testing

extension PlatformIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f01AnEditMadeWhileTheRunnerWasKilledIsAppliedAtTheNextStart() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            let edited = BotEntry("edited", code: code, config: ["setting": "old"])
            try await platform.put(edited, BotEntry("same", code: code))
            let first = try stage.runner()
            try await first.waitForStatus("running", of: "edited", "same")
            let before = try await stage.container(of: "edited")
            let same = try await stage.container(of: "same")
            await first.kill()
            try await platform.put(edited.with(config: ["setting": "new"]))

            let second = try stage.runner()
            let after = try await stage.container(of: "edited") { $0.isRunning && $0.id != before.id }
            #expect(try await stage.line(of: after).contains(#"{\"setting\":\"new\"}"#))
            #expect(try await stage.container(of: "same") == same)
            #expect(second.entries.allSatisfy { $0.message != "bot starting" || $0.metadata["bot"] != "same" })
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f06f62AStoppedRunnerLeavesItsBotsRunningAndTheNextAdoptsThem() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            try await platform.put(BotEntry("a", code: code), BotEntry("b", code: code))
            let first = try stage.runner()
            try await first.waitForStatus("running", of: "a", "b")
            let before = Set(try await stage.containers().map(\.id))
            #expect(before.count == 2)
            #expect(await first.terminate() == .exited(0))
            #expect(Set(try await stage.containers().filter(\.isRunning).map(\.id)) == before)

            // What is shown of them is never anything but "running".
            let plan = try await stage.plan()
            #expect(Set(plan.keys) == ["a", "b"])
            for bot in plan.values {
                #expect(bot["status"] == "running")
                #expect(bot["actions"] == [])
            }
            let second = try stage.runner("--stop-bots-on-exit")
            try await second.waitForStatus("running", of: "a", "b")
            try await second.waitUntilReady()
            let shown = second.entries.filter { $0.metadata["bot"] != nil && $0.level != "debug" }.map(\.message)
            #expect(Set(shown) == ["bot running"])
            #expect(Set(try await stage.containers().filter(\.isRunning).map(\.id)) == before)

            #expect(await second.terminate(within: .seconds(60)) == .exited(0))
            #expect(try await stage.containers().isEmpty)
            #expect(stage.happenings("start").count == 2)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f10TheTopLevelSwitchStopsABot() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            try await platform.put(
                BotEntry("bot", code: code, config: ["enabled": true]),
                BotEntry("never", code: code, config: ["enabled": true], enabled: false),
                BotEntry("against", code: code, config: ["enabled": false], enabled: true)
            )
            let runner = try stage.runner()
            try await runner.waitForStatus("running", of: "bot", "against")
            try await runner.waitUntilReady()
            #expect(try await stage.containers(of: "never").isEmpty)
            try await platform.set("bot", ["enabled": false])
            try await stage.absence(of: "bot")
            #expect(try await stage.containers().map(\.bot) == ["against"])
            #expect(stage.happenings("create", of: "never").isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f65ABrokenDocumentIsReportedAndEveryOtherBotIsServed() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            let good = BotEntry("good", code: code)
            try await platform.put(good, BotEntry("leaves", code: code), BotEntry("breaks", code: code))
            let runner = try stage.runner("--reconcile-interval", "1s")
            try await runner.waitForStatus("running", of: "good", "leaves", "breaks")
            let breaks = try await stage.container(of: "breaks")

            var broken = BotEntry("breaks", code: code).document.object ?? [:]
            broken["config"] = 7
            var born = broken
            born["id"] = "born-broken"
            try await platform.put(documents: [
                .object(broken), .object(born), ["id": 12, "config": [:]], ["id": "bare"],
            ])
            for id in ["breaks", "born-broken"] {
                let entry = try await runner.waitForLog("a report of \(id)") {
                    $0.message == "bot invalid" && $0.metadata["bot"] == id
                }
                #expect(entry.metadata["field"] == "config")
                #expect(entry.metadata["left_running"] == (id == "breaks" ? "true" : "false"))
            }
            try await runner.waitForLog("a report of the document without an id") { $0.message == "document left out" }
            try await runner.waitForStatus("invalid", of: "bare")

            // Served all the same: one starts, one changes, one stops.
            let before = try await stage.container(of: "good")
            try await platform.put(BotEntry("new", code: code), good.with(config: ["changed": true]))
            try await platform.delete("leaves")
            try await stage.container(of: "new")
            try await stage.container(of: "good") { $0.isRunning && $0.id != before.id }
            try await stage.absence(of: "leaves")
            #expect(try await stage.container(of: "breaks") == breaks)
            #expect(try await stage.containers(of: "born-broken").isEmpty)
        }
    }
}
