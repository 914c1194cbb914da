import Entrypoints
import Foundation
import Testing

/// Bots that were compiled: native, .NET (by a stand-in, for there is none here), JVM.
@Suite struct CompiledTests {
    private static let nativeSource = """
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        static void stop(int signal) { (void)signal; write(1, "own\\n", 4); _exit(4); }
        int main(void) {
            const char *mode = getenv("BOT_ID");
            if (!strcmp(mode, "handler")) signal(SIGTERM, stop);
            if (!strcmp(mode, "exit")) return 7;
            printf("ready\\n");
            fflush(stdout);
            for (;;) pause();
        }
        """

    private static let javaSource = """
        public class Bot {
            public static void main(String[] args) throws Exception {
                if (System.getenv("BOT_ID").equals("exit")) System.exit(7);
                if (System.getenv("BOT_ID").equals("throw")) throw new IllegalStateException("boom");
                Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
                System.out.println(System.getenv("BOT_CONFIG"));
                System.out.println("ready");
                Thread.sleep(60000);
            }
        }
        """

    /// Runs a compiler in the bot's root.
    private func build(_ bot: borrowing Bot, _ command: [String]) async throws {
        let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": bot.root.path()]
        let built = try await BotProcess.run(
            ["/usr/bin/env"] + command,
            environment: environment,
            directory: bot.code,
            limit: 120
        )
        try #require(built.code == 0, "\(built.stdout)\(built.stderr)")
    }

    private func nativeBot(id: String, name: String = "bot") async throws -> Bot {
        let bot = try Bot(.native, name, files: ["bot.c": Self.nativeSource], id: id)
        try await build(bot, ["gcc", "-o", "./" + name, "bot.c"])
        // As archives leave it.
        try setMode(0o644, of: bot.file(name))
        return bot
    }

    @Test func f45ABareNameRunsTheFileAndNotTheCommandOfThatName() async throws {
        let bot = try await nativeBot(id: "exit", name: "true")
        let ended = try await bot.run()
        #expect(ended.code == 7, "\(ended.stderr)")
    }

    @Test func f43ANativeBotGetsSigtermItself() async throws {
        let plain = try await nativeBot(id: "plain")
        let killed = try await plain.run(terminateAfter: "ready\n", limit: 25)
        #expect(killed.code == EntrypointExitCode.terminated)
        #expect(!killed.leftProcesses)
        let handler = try await nativeBot(id: "handler")
        let ended = try await handler.run(terminateAfter: "ready\n", limit: 25)
        #expect(ended.code == 4)
        #expect(ended.stdout == "ready\nown\n")
    }

    @Test func aModeThatCannotBeChangedIsSaid() async throws {
        let bot = try Bot(.native, "bot", files: ["bot": "#!/bin/sh\necho ran"])
        try bot.command("chmod", "echo 'not permitted' >&2; exit 1")
        let ended = try await bot.run()
        #expect(ended.code == EntrypointExitCode.notExecutable)
        #expect(ended.stderr.contains("entrypoint 'bot'"))
        #expect(ended.stderr.contains("is not executable, and its mode can't be changed"))
        #expect(ended.stdout == "")
    }

    @Test(arguments: ["Bot.jar", "Bot.jar:Bot"])
    func f43AJarRunsWithItsOwnMainOrTheNamedOneAndGetsSigterm(entrypoint: String) async throws {
        var bot = try Bot(.jvm, "lib dir/" + entrypoint, files: ["Bot.java": Self.javaSource], config: #"{"a": "'"}"#)
        try FileManager.default.createDirectory(at: bot.file("lib dir"), withIntermediateDirectories: true)
        try await build(bot, ["javac", "-d", "classes", "Bot.java"])
        let main = entrypoint.contains(":") ? [] : ["-e", "Bot"]
        let options = main.isEmpty ? "cf" : "cfe"
        try await build(bot, ["jar", options, "lib dir/Bot.jar"] + main.dropFirst() + ["-C", "classes", "."])

        let stopped = try await bot.run(terminateAfter: "ready\n")
        #expect(stopped.code == EntrypointExitCode.terminated)
        #expect(!stopped.leftProcesses)
        #expect(stopped.stdout == "{\"a\": \"'\"}\nready\nhook\n")
        bot.environment["BOT_ID"] = "exit"
        #expect(try await bot.run().code == 7)
        bot.environment["BOT_ID"] = "throw"
        let thrown = try await bot.run()
        #expect(thrown.code == 1)
        #expect(thrown.stderr.contains("IllegalStateException: boom"))
    }

    @Test func aNamedMainClassIsLookedUpInTheJar() async throws {
        let bot = try Bot(.jvm, "lib/X.jar:pack.Main$Inner", files: ["lib/X.jar": ""])
        try bot.command("java", #"printf '%s\n' "$@""#)
        #expect(try await bot.run().stdout == "-cp\n./lib/X.jar\npack.Main$Inner\n")
    }

    @Test func f43ADotnetBotGetsSigtermItself() async throws {
        let bot = try Bot(.dotnet, "publish/Bot.dll", files: ["publish/Bot.dll": ""])
        // An `exec`ed command of this shell, which would not be told if the script were still its parent.
        try bot.command("dotnet", #"trap 'echo own; exit 4' TERM; echo "$@"; echo ready; while :; do sleep 0.05; done"#)
        let ended = try await bot.run(terminateAfter: "ready\n", limit: 25)
        #expect(ended.stdout == "./publish/Bot.dll\nready\nown\n")
        #expect(ended.code == 4)
    }
}
