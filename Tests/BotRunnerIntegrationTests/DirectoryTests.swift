import Foundation
import Model
import TestSupport
import Testing

extension DirectoryIntegration {
    @Test(.timeLimit(.minutes(5)))
    func savingAFileRestartsTheBotItChangesAndNoOther() async throws {
        try await Stage.with { stage in
            let bots = BotFolder(folder: stage.folder, name: "bots")
            for bot in ["edited", "configured", "same"] { try bots.program(bot) }
            let runner = try stage.runner("--store", bots.path, "--reconcile-interval", "1h")
            try await runner.waitForStatus("running", of: "edited", "configured", "same")
            let first = try await stage.container(of: "edited")
            let second = try await stage.container(of: "configured")
            let same = try await stage.container(of: "same")

            try bots.program("edited", "print('new text', flush=True)\nimport time\ntime.sleep(600)\n")
            let after = try await stage.container(of: "edited") { $0.isRunning && $0.id != first.id }
            #expect(try await stage.line(of: after) == "new text")
            #expect(try await stage.container(of: "configured") == second)

            try bots.config("configured", ["n": 2])
            let configured = try await stage.container(of: "configured") { $0.isRunning && $0.id != second.id }
            #expect(configured.environment.contains(#"BOT_CONFIG={"n":2}"#))
            #expect(try await stage.container(of: "edited") == after)

            // A new folder is a new bot, a folder that is gone stops its own.
            try bots.program("new")
            try await stage.container(of: "new")
            try bots.remove("edited")
            try await stage.absence(of: "edited")
            #expect(try await stage.container(of: "same") == same)
            #expect(stage.happenings("start", of: "same").count == 1)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func oncePassesOnceAndEnds() async throws {
        try await Stage.with { stage in
            let bots = BotFolder(folder: stage.folder, name: "bots")
            for bot in ["a", "b"] { try bots.program(bot) }
            let first = try stage.runner("--store", bots.path, "--once")
            #expect(await first.process.ended(within: .seconds(120)) == .exited(0))
            let started = try await stage.containers()
            #expect(Set(started.filter(\.isRunning).map(\.bot)) == ["a", "b"])

            try bots.remove("b")
            let second = try stage.runner("--store", bots.path, "--once")
            #expect(await second.process.ended(within: .seconds(120)) == .exited(0))
            #expect(try await stage.containers().map(\.id) == started.filter { $0.bot == "a" }.map(\.id))

            // What could not be done shows in the exit code; the others are served.
            try stage.folder.write("bots/broken/bot-config.yaml", "runtime: cobol\nentrypoints: {bot: main.py}\n")
            try bots.program("c")
            let third = try stage.runner("--store", bots.path, "--once")
            #expect(await third.process.ended(within: .seconds(120)) == .exited(69))
            #expect(third.output.contains("known are"))
            #expect(Set(try await stage.containers().filter(\.isRunning).map(\.bot)) == ["a", "c"])

            let fourth = try stage.runner("--store", stage.folder.file("absent"), "--once")
            #expect(await fourth.process.ended(within: .seconds(120)) == .exited(69))
            #expect(Set(try await stage.containers().filter(\.isRunning).map(\.bot)) == ["a", "c"])
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func f59TwoInstancesOnOneEngineNeverTouchEachOthersBots() async throws {
        try await Stage.with { one in
            try await Stage.with { other in
                let bots = BotFolder(folder: one.folder, name: "bots")
                let others = BotFolder(folder: other.folder, name: "bots")
                for folder in [bots, others] { try folder.program("twin") }
                try bots.program("only-here")
                let flags = ["--reconcile-interval", "1s"]
                let first = try one.runner(["--store", bots.path] + flags)
                let second = try other.runner(["--store", others.path] + flags)
                try await first.waitForStatus("running", of: "twin", "only-here")
                try await second.waitForStatus("running", of: "twin")
                let mine = try await one.container(of: "twin")
                let theirs = try await other.container(of: "twin")
                #expect(mine.id != theirs.id)
                #expect(Set(mine.volumes).isDisjoint(with: theirs.volumes))

                try others.config("twin", ["changed": true])
                let changed = try await other.container(of: "twin") { $0.isRunning && $0.id != theirs.id }
                try others.remove("twin")
                try await other.absence(of: "twin")
                #expect(try await one.container(of: "twin") == mine)
                #expect(!other.happenings("destroy", of: "twin").isEmpty)
                #expect(one.happenings("die").isEmpty)
                #expect(other.happenings("create").map(\.subject).contains(changed.id))
                #expect(other.happenings("create", of: "only-here").isEmpty)
            }
        }
    }
}
