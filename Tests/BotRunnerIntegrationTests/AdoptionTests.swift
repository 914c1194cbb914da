import Model
import TestSupport
import Testing

/// Containers as version 1.2.0 started them, on an engine of the test's own: they belong to the default instance, of which
/// an engine has only one.
@Suite(.serialized) struct AdoptionIntegration {
    @Test(.timeLimit(.minutes(10)))
    func containersOfVersion120AreAdoptedAndReplacedOnlyWhenTheirBotChanges() async throws {
        let own = try await PrivateEngine.start(images: ["python"])
        do {
            try await Stage.with(engine: own.engine, instance: "default") { try await adopt($0) }
        } catch {
            await own.stop()
            throw error
        }
        await own.stop()
    }

    private func adopt(_ stage: Stage) async throws {
        let bots = BotFolder(folder: stage.folder, name: "bots")
        for bot in ["kept", "changed", "disabled", "scheduled"] { try bots.program(bot) }
        for bot in ["kept", "changed"] { try bots.config(bot, ["symbol": "BTC", "n": 1]) }
        try bots.config("disabled", ["enabled": false])
        let kept = try await start("kept", config: #"{"n": 1, "symbol": "BTC"}"#, removesItself: true, stage)
        let changed = try await start("changed", config: #"{"n":1,"symbol":"ETH"}"#, removesItself: true, stage)
        let off = try await start("disabled", config: "{}", removesItself: true, stage)
        let orphan = try await start("orphan", config: "{}", removesItself: true, stage)
        // The scheduler's: not ours, although there is a live bot of the same id.
        let run = try await start("scheduled", config: #"{"schedule":"* * * * *"}"#, removesItself: false, stage)
        let stranger = try await stage.engine.docker("run", "--detach", "python:3.11-slim", "sleep", "1000")

        let plan = try await stage.plan("--store", bots.path)
        #expect(plan["kept"]?["status"] == "running")
        #expect(plan["kept"]?["actions"] == [])
        #expect(plan["changed"]?["status"] == "replacing")
        #expect(plan["orphan"]?["actions"] == [.string("remove \(orphan.prefix(12)) (deleted)")])

        let runner = try stage.runner("--store", bots.path)
        try await runner.waitForStatus("running", of: "kept", "changed", "scheduled", within: .seconds(120))
        try await slowly("what is not desired is gone") {
            try await standing(stage).isDisjoint(with: [changed, off, orphan]) ? true : nil
        }
        #expect(try await standing(stage).isSuperset(of: [kept, run, stranger.filter(\.isHexDigit)]))
        #expect(Set(try await stage.containers().map(\.bot)) == ["changed", "scheduled"])

        // Now its bot changes, and it is replaced by one of ours.
        try bots.config("kept", ["symbol": "BTC", "n": 2])
        let replaced = try await stage.container(of: "kept")
        #expect(replaced.environment.contains(#"BOT_CONFIG={"symbol":"BTC","n":2}"#))
        #expect(try await standing(stage).contains(run))
        #expect(try await !standing(stage).contains(kept))
        #expect(await runner.terminate() == .exited(0))
    }

    /// Starts a container with labels and variables of version 1.2.0.
    private func start(_ bot: String, config: String, removesItself: Bool, _ stage: Stage) async throws -> String {
        let text = try await requireCommand(
            ["docker", "--host", stage.engine.address, "run", "--detach", "--init"]
                + (removesItself ? ["--rm"] : [])
                + [
                    "--label", "runtime.id=\(bot)", "--label", "runtime.entrypoint=main.py",
                    "--label", "runtime.managed=true", "--label", "runtime.segment=-1",
                    "--env", "ID=\(bot)", "--env", "CONFIG=\(config)", "--env", "BOT_ID=\(bot)", "--env",
                    "BOT_CONFIG=\(config)",
                    "--env", "CODE_MOUNT_DIR=bot", "--env", "ENTRYPOINT_TYPE=bot", "--env", "SCRIPT_PATH=main.py",
                    "python:3.11-slim", "sleep", "1000",
                ],
            within: .seconds(60)
        )
        return text.filter(\.isHexDigit)
    }

    /// The ids of all containers that run.
    private func standing(_ stage: Stage) async throws -> Set<String> {
        Set(try await stage.engine.docker("ps", "--no-trunc", "--quiet").split(separator: "\n").map(String.init))
    }
}
