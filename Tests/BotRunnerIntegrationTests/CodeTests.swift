import Foundation
import Model
import TestSupport
import Testing

extension PlatformIntegration {
    @Test(.timeLimit(.minutes(5)))
    func f26AModuleThatANewVersionNoLongerHasIsNotImportable() async throws {
        try await Stage.withPlatform { stage, platform in
            let main = """
                import time
                try:
                    import helper
                    print("helper", helper.VALUE, flush=True)
                except ImportError:
                    print("none", flush=True)
                while True:
                    time.sleep(1)

                """
            let old = try await platform.upload(.file("main.py", main), .file("helper.py", "VALUE = 1\n"))
            let new = try await platform.upload(.file("main.py", main))
            try await platform.put(BotEntry("bot", code: old))
            let runner = try stage.runner("--reconcile-interval", "1s")
            try await runner.waitForStatus("running", of: "bot")
            let before = try await stage.container(of: "bot")
            #expect(try await stage.line(of: before) == "helper 1")
            try await platform.put(BotEntry("bot", code: new, version: "2.0.0"))
            let after = try await stage.container(of: "bot") { $0.isRunning && $0.id != before.id }
            #expect(try await stage.line(of: after) == "none")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f11CodeStaysForTheOtherBotsThatUseIt() async throws {
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            let stays = BotEntry("stays", code: code)
            try await platform.put(stays, BotEntry("leaves", code: code))
            let runner = try stage.runner("--reconcile-interval", "1s", "--restart-initial", "200ms")
            try await runner.waitForStatus("running", of: "stays", "leaves")
            let before = try await stage.container(of: "stays")
            try await platform.delete("leaves")
            try await stage.absence(of: "leaves")
            #expect(try await stage.container(of: "stays") == before)
            // It starts anew from what is on the disk.
            await platform.objects.service.kill()
            try await platform.put(stays.with(config: ["changed": true]))
            try await stage.container(of: "stays") { $0.isRunning && $0.id != before.id }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aFolderStandsInForTheObjectStore() async throws {
        try await Stage.withPlatform { stage, platform in
            try FileManager.default.createDirectory(
                atPath: stage.folder.file("objects/custom-bots"),
                withIntermediateDirectories: true
            )
            let archive = Data(makeZip([.file("main.py", Program.sleeper)]))
            try archive.write(to: URL(fileURLWithPath: stage.folder.file("objects/custom-bots/mine%2F1.zip")))
            try await platform.put(BotEntry("bot", code: "mine/1.zip"))
            let runner = try stage.runner("--objects", "objects", environment: ["MINIO_ENDPOINT": ""])
            try await runner.waitForStatus("running", of: "bot")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f25AnIDIsNeverAPath() async throws {
        let ids = [
            "../../x", "/abs/olute", "'; echo $(id)`id`", "\"quoted\"", "line\nbreak",
            String(repeating: "x", count: 300),
            "日本語🤖", "..",
        ]
        try await Stage.withPlatform { stage, platform in
            let code = try await platform.upload(.file("main.py", Program.sleeper))
            for id in ids { try await platform.put(BotEntry(id, code: code, config: ["of": .string(id)])) }
            try stage.folder.write("far/in/marker", "stays")
            let runner = try stage.runner(environment: ["TEMP_DIR": stage.folder.file("far/in/cache")])
            for id in ids { try await runner.waitForStatus("running", of: id, within: .seconds(120)) }
            for id in ids {
                let container = try await stage.container(of: id)
                let told = try JSONValue.parse(try await stage.line(of: container)).object
                #expect(told?["id"] == .string(id))
                #expect(try JSONValue.parse(told?["config"]?.string ?? "") == ["of": .string(id)])
            }
            #expect(try await stage.containers().count == ids.count)
            #expect(try files(stage.folder.file("far")) == ["in"])
            #expect(try files(stage.folder.file("far/in")) == ["cache", "marker"])
            let outside = try files(stage.folder.path).filter { !$0.hasPrefix("runner-") && $0 != "events.jsonl" }
            #expect(outside == ["far"])

            // And each is stopped by its id alone.
            for id in ids.dropFirst(2) { try await platform.delete(id) }
            #expect(await runner.terminate() == .exited(0))
            let once = try stage.runner("--once")
            #expect(await once.process.ended(within: .seconds(60)) == .exited(0))
            #expect(Set(try await stage.containers().map(\.bot)) == Set(ids.prefix(2)))
        }
    }

    private func files(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    @Test(.timeLimit(.minutes(5)))
    func f46TheBotsOwnEntrypointScriptStays() async throws {
        try await Stage.withPlatform { stage, platform in
            let own = "echo 'the bot''s own'\n"
            let code = try await platform.upload(
                .file(
                    "main.py",
                    "import time\nprint(repr(open('/bot/entrypoint.sh').read()), flush=True)\ntime.sleep(600)\n"
                ),
                .file("entrypoint.sh", own)
            )
            try await platform.put(BotEntry("bot", code: code))
            let runner = try stage.runner()
            try await runner.waitForStatus("running", of: "bot")
            let line = try await stage.line(of: try await stage.container(of: "bot"))
            #expect(line == #""echo 'the bot''s own'\n""#)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f41ParametersReachTheBotUnchangedAndAreNeverRun() async throws {
        let config: JSONObject = [
            "single": "it's", "shell": "$(touch /tmp/owned) `touch /tmp/owned` ; touch /tmp/owned", "double": "\"\\\"",
            "lines": "a\nb\r\n\t", "python": "''' + __import__('os').system('touch /tmp/owned') + '''",
            "percent": "%s %d %",
            "unicode": "日本\u{2028}🤖", "number": 9_007_199_254_740_993, "fraction": 0.1, "list": [1, nil, true],
            "$dollar": ["a.b": 1],
        ]
        try await Stage.withPlatform { stage, platform in
            let program = """
                import json, os, time
                def main(id, config):
                    print(json.dumps({"env": os.environ["BOT_CONFIG"], "old": os.environ["CONFIG"],
                                      "given": config, "owned": os.path.exists("/tmp/owned")}), flush=True)
                    time.sleep(600)

                """
            let code = try await platform.upload(.file("main.py", program))
            let script = """
                module.exports = (id, config) => {
                  console.log(JSON.stringify({env: process.env.BOT_CONFIG, old: process.env.CONFIG, given: config,
                    owned: require("fs").existsSync("/tmp/owned")}))
                  setInterval(() => {}, 1000)
                }

                """
            let node = try await platform.upload(.file("main.js", script))
            try await platform.put(
                BotEntry("python", code: code, config: config),
                BotEntry("node", code: node, config: config, runtime: "nodejs20", entrypoint: "main.js")
            )
            let runner = try stage.runner()
            try await runner.waitForStatus("running", of: "python", "node")
            for bot in ["python", "node"] {
                let line = try await stage.line(of: try await stage.container(of: bot))
                let told = try #require(JSONValue.parse(line).object)
                for name in ["env", "old"] {
                    #expect(try JSONValue.parse(told[name]?.string ?? "") == .object(config), "\(bot) \(name)")
                }
                #expect(told["owned"] == false)
                // JavaScript has no such large whole number.
                var (given, expected) = (told["given"]?.object ?? [:], config)
                if bot == "node" { (given["number"], expected["number"]) = (nil, nil) }
                #expect(JSONValue.object(given).canonicalText == JSONValue.object(expected).canonicalText, "\(bot)")
            }
        }
    }
}
