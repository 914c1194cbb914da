import Foundation
import Model
import Runtime
import TestSupport
import Testing

extension PlatformIntegration {
    /// Every language of the catalogue runs in its image, or in what stands for that (`scripts/images`).
    @Test(.timeLimit(.minutes(10)))
    func f44EveryLanguageOfTheCatalogueRuns() async throws {
        try await Stage.withPlatform { stage, platform in
            let samples = try await LanguageSamples.build()
            #expect(Set(samples.programs.keys) == Set(RuntimeCatalogue.standard.all.map(\.name)))
            for (runtime, program) in samples.programs {
                let code = try await platform.upload(archive: makeZip(program.files))
                let bot = BotEntry(
                    runtime,
                    code: code,
                    config: ["it's": "$(x)"],
                    runtime: runtime,
                    entrypoint: program.entrypoint
                )
                try await platform.put(bot)
            }
            let runner = try stage.runner("--restart-initial", "1h", "--restart-maximum", "1h")
            for runtime in samples.programs.keys.sorted() {
                let container = try await stage.container(of: runtime, within: .seconds(180)) {
                    !$0.startedAt.hasPrefix("0001")
                }
                let line = try await stage.line(of: container, startingWith: "{")
                let told = try #require(JSONValue.parse(line).object)
                #expect(told["id"] == .string(runtime))
                #expect(try JSONValue.parse(told["config"]?.string ?? "") == ["it's": "$(x)"], "\(runtime)")
                // Stopped by SIGTERM, long before it would be killed.
                try await platform.set(runtime, ["enabled": false])
            }
            #expect(await runner.terminate() == .exited(0))
            let once = try stage.runner("--once", "--stop-grace", "20s")
            #expect(await once.process.ended(within: .seconds(120)) == .exited(0))
            #expect(try await stage.containers().isEmpty)
            for end in stage.happenings("die") {
                #expect(end.attributes["exitCode"] != "137", "\(end.attributes["runtime.id"] ?? "")")
            }
        }
    }
}

/// A program for each language, compiled where it has to be: each prints what it was given, and runs until SIGTERM.
struct LanguageSamples: Sendable {
    struct Program: Sendable {
        let entrypoint: String
        let files: [ZipEntry]
    }

    let programs: [String: Program]

    static func build() async throws -> LanguageSamples {
        let folder = try TemporaryFolder()
        let binary = ZipEntry.file("bin/bot", bytes: try await native(folder))
        // Archivers of other systems write no mode bits.
        let compiled = Program(entrypoint: "bin/bot", files: [binary])
        let (jar, dll) = (try await java(folder), try await dotnet(folder))
        return LanguageSamples(programs: [
            "python3.11": Program(
                entrypoint: "main.py",
                files: [
                    .file("main.py", python), .fileWithoutMode("vendor/text.py", "import json\ndump = json.dumps\n"),
                ]
            ),
            "nodejs20": Program(entrypoint: "src/main.js", files: [.file("src/main.js", node)]),
            "rust-stable": compiled, "gcc13": compiled, "cpp-gcc13": compiled, "ghc96": compiled,
            "scala3": Program(entrypoint: "lib/bot.jar:Bot", files: [.file("lib/bot.jar", bytes: jar)]),
            "dotnet8": Program(
                entrypoint: "Bot.dll",
                files: [.file("Bot.dll", bytes: dll), .file("Bot.runtimeconfig.json", runtimeConfiguration)]
            ),
        ])
    }

    private static let python = """
        import text, time
        def main(id, config):
            print(text.dump({"id": id, "config": text.dump(config)}), flush=True)
            while True:
                time.sleep(1)

        """

    private static let node = """
        exports.main = async (id, config) => {
          console.log(JSON.stringify({id, config: JSON.stringify(config)}))
          await new Promise((resolve) => setTimeout(resolve, 600000))
        }

        """

    private static func native(_ folder: TemporaryFolder) async throws -> [UInt8] {
        let source = try folder.write(
            "bot.c",
            """
            #include <stdio.h>
            #include <stdlib.h>
            #include <unistd.h>
            static void quoted(const char *text) {
                putchar('"');
                for (; *text; text++) {
                    if (*text == '"' || *text == '\\\\') putchar('\\\\');
                    putchar(*text);
                }
                putchar('"');
            }
            int main(void) {
                printf("{\\"id\\":");
                quoted(getenv("BOT_ID"));
                printf(",\\"config\\":");
                quoted(getenv("BOT_CONFIG"));
                puts("}");
                fflush(stdout);
                for (;;) pause();
            }

            """
        )
        try await requireCommand(["gcc", "-static", "-o", folder.file("bot"), source], within: .seconds(120))
        return try bytes(folder.file("bot"))
    }

    private static func java(_ folder: TemporaryFolder) async throws -> [UInt8] {
        let source = try folder.write(
            "Bot.java",
            """
            public class Bot {
                static String quoted(String text) {
                    return "\\"" + text.replace("\\\\", "\\\\\\\\").replace("\\"", "\\\\\\"") + "\\"";
                }
                public static void main(String[] arguments) throws Exception {
                    System.out.println("{\\"id\\":" + quoted(System.getenv("BOT_ID"))
                        + ",\\"config\\":" + quoted(System.getenv("BOT_CONFIG")) + "}");
                    Thread.sleep(600000);
                }
            }

            """
        )
        try await requireCommand(
            ["javac", "--release", "11", "-d", folder.file("classes"), source],
            within: .seconds(180)
        )
        try await requireCommand(
            ["jar", "--create", "--file", folder.file("bot.jar"), "-C", folder.file("classes"), "."],
            within: .seconds(120)
        )
        return try bytes(folder.file("bot.jar"))
    }

    private static func dotnet(_ folder: TemporaryFolder) async throws -> [UInt8] {
        let source = try folder.write(
            "Bot.cs",
            """
            using System;
            using System.Threading;
            static class Bot {
                static string Quoted(string text) {
                    return "\\"" + text.Replace("\\\\", "\\\\\\\\").Replace("\\"", "\\\\\\"") + "\\"";
                }
                static void Main() {
                    Console.WriteLine("{\\"id\\":" + Quoted(Environment.GetEnvironmentVariable("BOT_ID"))
                        + ",\\"config\\":" + Quoted(Environment.GetEnvironmentVariable("BOT_CONFIG")) + "}");
                    Thread.Sleep(600000);
                }
            }

            """
        )
        try await requireCommand(
            ["mcs", "-target:exe", "-out:\(folder.file("Bot.dll"))", source],
            within: .seconds(120)
        )
        return try bytes(folder.file("Bot.dll"))
    }

    /// The image that stands for .NET 8 has 3.1.
    private static let runtimeConfiguration = """
        {"runtimeOptions": {"rollForward": "Major", "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"}}}
        """

    private static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
