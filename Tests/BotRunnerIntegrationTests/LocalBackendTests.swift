import Foundation
import Model
import TestSupport
import Testing

/// The runner without any engine. No service is shared, and nothing of the machine but its processes.
@Suite struct LocalBackendIntegration {
    @Test(.timeLimit(.minutes(5)))
    func aKilledRunnersBotsAreAdoptedAndEndWithTheirFolder() async throws {
        let folder = try TemporaryFolder()
        let bots = BotFolder(folder: folder, name: "bots")
        try bots.program("one")
        func runner(_ log: String) throws -> RunnerProcess {
            try RunnerProcess(
                [
                    "bot-runner", "--backend", "local", "--store", bots.path, "--cache-directory", folder.file("cache"),
                    "--listen", "127.0.0.1:0", "--log-format", "json", "--stop-grace", "2s",
                ],
                environment: [
                    "HOME": folder.path, "DOCKER_HOST": "unix:///nowhere/docker.sock", "SECRET_OF_OURS": "secret",
                ],
                folder: folder.path,
                log: folder.file(log)
            )
        }
        let first = try runner("first.log")
        try await first.waitForStatus("running", of: "one")
        #expect(first.entries.contains { $0.level == "warning" && $0.message.contains("isolates nothing") })
        // Its start script runs for a moment before its program does.
        let before = try await slowly("the bot's program runs") {
            let found = try processes(of: "one", in: folder)
            return found.count == 1 && isPython(found[0]) ? found : nil
        }
        for pid in before {
            let environment = try #require(FileManager.default.contents(atPath: "/proc/\(pid)/environ"))
            #expect(!String(decoding: environment, as: UTF8.self).contains("SECRET_OF_OURS"))
        }
        await first.kill()
        #expect(try processes(of: "one", in: folder) == before)

        let second = try runner("second.log")
        try await second.waitForStatus("running", of: "one")
        try await second.waitUntilReady()
        #expect(try processes(of: "one", in: folder) == before)

        try bots.remove("one")
        try await slowly("the bot's processes are gone") {
            try processes(of: "one", in: folder).isEmpty ? true : nil
        }
        #expect(await second.terminate() == .exited(0))
    }

    @Test(.timeLimit(.minutes(2)))
    func autoTakesProcessesWhereNoEngineAnswersAndSaysWhy() async throws {
        let folder = try TemporaryFolder()
        let bots = BotFolder(folder: folder, name: "bots")
        try bots.program("one")
        let runner = try RunnerProcess(
            [
                "bot-runner", "--backend", "auto", "--store", bots.path, "--cache-directory", folder.file("cache"),
                "--listen", "127.0.0.1:0", "--log-format", "json", "--stop-grace", "2s", "--stop-bots-on-exit",
            ],
            environment: ["HOME": folder.path, "DOCKER_HOST": "unix:///nowhere/docker.sock"],
            folder: folder.path,
            log: folder.file("log")
        )
        try await runner.waitForStatus("running", of: "one")
        #expect(
            runner.entries.contains {
                $0.message.hasPrefix("backend: local") && $0.metadata["error"]?.contains("/nowhere/docker.sock") == true
            }
        )
        #expect(await runner.terminate() == .exited(0))
        #expect(try processes(of: "one", in: folder).isEmpty)
    }

    private func isPython(_ pid: Int32) -> Bool {
        let name = FileManager.default.contents(atPath: "/proc/\(pid)/comm") ?? Data()
        return String(decoding: name, as: UTF8.self).hasPrefix("python")
    }

    /// The numbers of the processes that were started as a bot's from a folder.
    private func processes(of bot: String, in folder: TemporaryFolder) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
            let entries = String(decoding: environment, as: UTF8.self).split(separator: "\0")
            return entries.contains("BOT_ID=\(bot)")
                && entries.contains { $0.hasPrefix("THE0_CODE_DIR=\(folder.path)/") }
        }.sorted()
    }
}
