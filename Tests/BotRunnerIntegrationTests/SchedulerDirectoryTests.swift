import Foundation
import Model
import TestSupport
import Testing

/// The scheduler with schedules from a directory and programs as processes of this machine, beside a bot-runner: no service
/// at all.
@Suite struct LocalSchedulerIntegration {
    @Test(.timeLimit(.minutes(5)))
    func aScheduledBotRunsBesideALiveOneFromOneFolder() async throws {
        let folder = try TemporaryFolder()
        let bots = BotFolder(folder: folder, name: "bots")
        try bots.program("live")
        try folder.write(
            "bots/job/bot-config.yaml",
            "name: job\nruntime: python3.11\nversion: 1.0.0\ntype: scheduled\nentrypoints:\n  bot: main.py\n"
        )
        try folder.write("bots/job/main.py", Self.job)
        try bots.config("job", ["schedule": "* * * * * *"])
        for bucket in ["custom-bots", "bot-logs", "backtests"] { try folder.write("objects/\(bucket)/.keep", "") }
        let settings = [
            "HOME": folder.path, "STORE": bots.path, "OBJECT_STORE_DIR": folder.file("objects"),
            "DOCKER_HOST": "unix:///nowhere/docker.sock", "RUNTIME_BACKEND": "local", "LISTEN": "127.0.0.1:0",
            "TEMP_DIR": folder.file("cache"), "LOG_FORMAT": "json", "STOP_GRACE": "2s",
        ]
        func start(_ arguments: String...) throws -> RunnerProcess {
            let log = folder.file("\(arguments[0]).log")
            return try RunnerProcess(arguments, environment: settings, folder: folder.path, log: log)
        }
        func command(_ arguments: String...) async throws -> CommandResult {
            try await runCommand(
                [RunnerProcess.program] + arguments,
                environment: RunnerProcess.clearedVariables.merging(settings) { _, new in new },
                folder: folder.path
            )
        }
        let runner = try start("bot-runner", "--stop-bots-on-exit")
        let scheduler = try start("bot-scheduler", "--stop-runs-on-exit")
        try await runner.waitForStatus("running", of: "live")
        try await scheduler.waitUntilReady()
        try await slowly("three runs have left their results") {
            let runs = try RunEntry.all(in: try await command("runs", "job", "-o", "json").text)
            return runs.count { $0.outcome == "succeeded" && $0.result == "stored" } >= 3 ? true : nil
        }
        let result = try Data(contentsOf: URL(fileURLWithPath: folder.file("objects/backtests/job%2Fanalysis.json")))
        #expect(try JSONValue.parse(String(decoding: result, as: UTF8.self)).object?["id"] == "job")
        // At once, although the next check is seconds away: what is asked for is seen in the folder.
        let asked = try await command("schedules", "run", "job", "--wait")
        #expect(asked.termination == .exited(0), "\(asked.errorText)")
        #expect(try await command("schedules").text.contains("* * * * * *"))
        // Each has its own spool: the output of both is collected.
        #expect(scheduler.entries.allSatisfy { !$0.message.contains("isn't collected") })
        #expect(runner.entries.allSatisfy { !$0.message.contains("isn't collected") })
        #expect(try await command("logs", "job", "--tail", "5").text.contains("done"))
        #expect(await scheduler.terminate(within: .seconds(40)) == .exited(0))
        #expect(await runner.terminate(within: .seconds(40)) == .exited(0))
    }

    private static let job = """
        import json, os

        def main(id, config):
            print("done")
            return {"id": id}

        """
}
