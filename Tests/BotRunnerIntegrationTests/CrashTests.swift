import Foundation
import Model
import TestSupport
import Testing

extension PlatformIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f05DelaysOfABotThatExitsAtOnceGrowAndSurviveARestartOfTheRunner() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.exiting(3)))
            try await platform.put(BotEntry("crasher", code: code))
            let flags = ["--restart-initial", "1s", "--restart-maximum", "5m"]
            let first = try stage.runner(flags)
            try await slowly("a third start") { stage.happenings("start").count >= 3 ? true : nil }
            await first.kill()
            let second = try stage.runner(flags)
            try await slowly("two more starts") { stage.happenings("start").count >= 5 ? true : nil }
            await second.kill()

            // 1, 2, 4 and 8 seconds, ± 20 %; the third is counted on from what the container carries.
            let starts = stage.happenings("start").map(\.seconds)
            let ends = stage.happenings("die").map(\.seconds)
            let delays = zip(ends, starts.dropFirst()).map { $1 - $0 }
            try #require(delays.count >= 4)
            for (delay, least) in zip(delays, [0.8, 1.6, 3.2, 6.4]) { #expect(delay >= least - 0.05, "\(delays)") }
            #expect(second.entries.contains { $0.message == "bot backing-off" && $0.metadata["attempt"] == "4" })

            let left = try await stage.engine.objects(label: "runtime.instance=\(stage.instance)")
            #expect(left.containers.count == 1)
            #expect(left.volumes.count == 1)
            #expect(left.networks.count == 1)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f05AStartThatFailsForWantOfTheObjectStoreLeavesNothingAndSucceedsLater() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            try await platform.put(BotEntry("waiting", code: code))
            await platform.objects.service.kill()
            let runner = try stage.runner("--restart-initial", "200ms", "--restart-maximum", "1s")
            try await runner.waitForStatus("start-failed", of: "waiting", count: 3)
            let before = try await stage.engine.objects(label: "runtime.instance=\(stage.instance)")
            #expect(before.containers.isEmpty)
            #expect(before.volumes.isEmpty)
            #expect(try await runner.get("/readyz").contains(#""object store":{"ok":false"#))
            let failed = try await runner.waitForLog("a reason") { $0.message == "bot start-failed" }
            #expect(failed.metadata["error"]?.contains(code) == true, "\(failed.metadata)")

            try await platform.objects.service.start()
            try await stage.container(of: "waiting")
            #expect(stage.happenings("create").count == 1)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f12ExitCodeAndLastLinesOfAnEndedBotAreShown() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(
                .file("main.py", "import sys\nprint('to out')\nprint('to err', file=sys.stderr)\nsys.exit(7)\n")
            )
            let hungry = try await platform.upload(.file("main.py", "x = bytearray(1 << 30)\nprint(len(x))\n"))
            var small = Program.runsOnce
            small["memory_limit"] = "32Mi"
            try await platform.put(
                BotEntry("ended", code: code, config: Program.runsOnce),
                BotEntry("hungry", code: hungry, config: small)
            )
            let runner = try stage.runner()
            try await runner.waitForStatus("backing-off", of: "ended", "hungry")
            let plan = try await stage.plan()
            let bot = try #require(plan["ended"])
            #expect(bot["status"] == "backing-off")
            #expect(bot["reason"]?.string?.hasPrefix("exit code 7") == true)
            let run = try #require(bot["runs"]?.array?.first?.object)
            #expect(run["exit_code"] == 7)
            #expect(run["out_of_memory"] == false)
            let lines = (run["last_lines"]?.array ?? []).compactMap(\.object)
            #expect(lines.contains { $0["text"] == "to out" && $0["stream"] == "stdout" })
            #expect(lines.contains { $0["text"] == "to err" && $0["stream"] == "stderr" })
            let other = try #require(plan["hungry"]?["runs"]?.array?.first?.object)
            #expect(other["exit_code"] == 137)
            #expect(other["out_of_memory"] == true)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f42TheExitCodeIsTheBotsOwn() async throws {
        try await Stage.withPlatform { stage, platform in
            let programs: [(id: String, text: String, code: Int64)] = [
                ("exits-3", Program.exiting(3), 3),
                ("returns", "def main(id, config):\n    return {'result': 1}\n", 0),
                ("throws", "def main():\n    raise ValueError('boom')\n", 1),
                ("exits-in-main", "import sys\ndef main(id, config=None):\n    sys.exit(44)\n", 44),
                ("killed", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", 137),
            ]
            for program in programs {
                let code = try await platform.upload(.file("main.py", program.text))
                try await platform.put(BotEntry(program.id, code: code, config: Program.runsOnce))
            }
            let node = try await platform.upload(.file("main.js", "module.exports = async () => { process.exit(9) }\n"))
            try await platform.put(
                BotEntry("node", code: node, config: Program.runsOnce, runtime: "nodejs20", entrypoint: "main.js")
            )
            let runner = try stage.runner()
            for (id, code) in programs.map({ ($0.id, $0.code) }) + [("node", 9)] {
                try await runner.waitForStatus("backing-off", of: id)
                let container = try await stage.container(of: id) { $0.status == "exited" }
                #expect(container.exitCode == code, "\(id)")
            }
        }
    }
}
