import Model
import TestSupport
import Testing

extension DirectoryIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f60AnEngineThatCanNotBeReadStartsAndStopsNothing() async throws {
        try await Stage.with { stage in
            let bots = BotFolder(folder: stage.folder, name: "bots")
            for bot in ["changed", "leaves", "same"] { try bots.program(bot) }
            let proxy = try await EngineProxy(to: stage.engine, in: stage.folder)
            let runner = try stage.runner(
                "--store",
                bots.path,
                "--reconcile-interval",
                "1s",
                environment: ["DOCKER_HOST": proxy.address]
            )
            try await runner.waitForStatus("running", of: "changed", "leaves", "same")
            let before = try await stage.containers()
            let ids = Set(before.map(\.id))

            await proxy.cut()
            try await givesUp(runner)
            try bots.config("changed", ["n": 2])
            try bots.remove("leaves")
            try await givesUp(runner)
            try await slowly("the outage is shown") {
                try await runner.get("/readyz").contains(#""engine":{"ok":false"#) ? true : nil
            }
            #expect(Set(try await stage.containers().filter(\.isRunning).map(\.id)) == ids)

            try await proxy.restore()
            let after = try await stage.container(of: "changed") { $0.isRunning && !ids.contains($0.id) }
            try await stage.absence(of: "leaves")

            // An engine that accepts and never answers.
            proxy.hang()
            try bots.program("new")
            try bots.config("changed", ["n": 3])
            try await givesUp(runner)
            let hanging = try await stage.containers()
            #expect(Set(hanging.filter(\.isRunning).map(\.bot)) == ["changed", "same"])
            #expect(hanging.contains { $0.id == after.id })
            proxy.resume()
            try await stage.container(of: "changed") { $0.isRunning && $0.id != after.id }
            try await stage.container(of: "new")

            // Each bot was started as often as it should have been, and none beside another of its own.
            let starts = stage.happenings("start").map { $0.attributes["runtime.id"] ?? "" }
            #expect(starts.sorted() == ["changed", "changed", "changed", "leaves", "new", "same"])
            #expect(try await stage.container(of: "same") == before.first { $0.bot == "same" })
            #expect(ranOneAtATime("changed", stage))
        }
    }

    /// Waits until the runner has given up a full pass once more.
    private func givesUp(_ runner: RunnerProcess) async throws {
        let message = "full pass given up, nothing was changed"
        let before = runner.entries.count { $0.message == message }
        try await runner.waitForLog(within: .seconds(120), "a pass that is given up") { _ in
            runner.entries.count { $0.message == message } > before
        }
    }

    private func ranOneAtATime(_ bot: String, _ stage: Stage) -> Bool {
        let events = (stage.happenings("start", of: bot) + stage.happenings("die", of: bot)).sorted {
            $0.time < $1.time
        }
        return events.enumerated().allSatisfy { $1.action == ($0.isMultiple(of: 2) ? "start" : "die") }
    }

    @Test(.timeLimit(.minutes(5)))
    func f02ABotWhoseStartTakesLongerThanAPassIsStartedOnce() async throws {
        try await Stage.with { stage in
            let bots = BotFolder(folder: stage.folder, name: "bots")
            try bots.program("slow")
            let proxy = try await EngineProxy(to: stage.engine, in: stage.folder)
            proxy.hang()
            let runner = try stage.runner(
                "--store",
                bots.path,
                "--reconcile-interval",
                "1s",
                environment: ["DOCKER_HOST": proxy.address]
            )
            try await runner.waitForLog("the status server") { $0.message == "status server is listening" }
            for number in 0..<5 {
                try bots.config("slow", ["n": .integer(Int64(number))])
                try await Task.sleep(for: .milliseconds(300))
            }
            proxy.resume()
            try await stage.container(of: "slow") { $0.isRunning && $0.environment.contains(#"BOT_CONFIG={"n":4}"#) }
            #expect(stage.happenings("create").count == 1)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func passesLeaveNoDescriptorsAndThreadsBehind() async throws {
        try await Stage.with { stage in
            let bots = BotFolder(folder: stage.folder, name: "bots")
            for bot in ["a", "b"] { try bots.program(bot) }
            let runner = try stage.runner("--store", bots.path, "--reconcile-interval", "1h")
            try await runner.waitForStatus("running", of: "a", "b")
            try await passes(10, bots, runner)
            let before = runner.resources
            try await passes(50, bots, runner)
            let after = runner.resources
            // A connection that is kept for reuse may have come or gone.
            #expect(after.descriptors <= before.descriptors + 3, "\(before) \(after)")
            #expect(after.threads <= before.threads + 1, "\(before) \(after)")
        }
    }

    private func passes(_ number: Int, _ bots: BotFolder, _ runner: RunnerProcess) async throws {
        let count = "reconcile_pass_duration_seconds_count"
        let target = try await runner.metric(count) + Double(number)
        var saves = 0
        try await eventually(within: .seconds(120), "\(number) passes") {
            saves += 1
            try bots.folder.write("\(bots.name)/notes.txt", "\(saves)")
            try await Task.sleep(for: .milliseconds(250))
            return try await runner.metric(count) >= target
        }
    }
}
