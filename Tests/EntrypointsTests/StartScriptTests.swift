import Entrypoints
import Foundation
import Testing

/// What holds for the scripts of every kind.
@Suite struct StartScriptTests {
    /// Interpreters of the kind, replaced by commands that print how they were called.
    private static func recorded(_ kind: EntrypointKind, _ entrypoint: String, _ shell: Bot.Shell) throws -> Bot {
        let file = kind == .jvm ? String(entrypoint.prefix { $0 != ":" }) : entrypoint
        let record = #"printf '%s\n' "${0##*/}" "$@" "$PWD" "$BOT_ID" "$BOT_CONFIG""#
        var bot = try Bot(kind, entrypoint, files: [file: "#!/bin/sh\n" + record])
        bot.shell = shell
        for command in ["python3", "node", "dotnet", "java"] { try bot.command(command, record) }
        return bot
    }

    @Test(arguments: EntrypointKind.allCases)
    func shellcheckAcceptsTheScript(kind: EntrypointKind) async throws {
        let bot = try Bot(kind, "bot")
        let ended = try await BotProcess.run(
            [
                "/usr/bin/shellcheck", "--shell=sh", "--severity=style",
                bot.scripts.appending(path: "entrypoint.sh").path(percentEncoded: false),
            ],
            environment: [:],
            directory: bot.root
        )
        #expect(ended.stdout + ended.stderr == "")
        #expect(ended.code == 0)
    }

    @Test(arguments: EntrypointKind.allCases)
    func f44EveryKindHasAScriptAndACommand(kind: EntrypointKind) throws {
        let files = kind.files
        #expect(files.first?.name == "entrypoint.sh")
        #expect(files.first?.executable == true)
        #expect(files.first?.contents.hasPrefix("#!/bin/sh\n") == true)
        #expect(files.count == (kind == .python || kind == .node ? 2 : 1))
        #expect(files.allSatisfy { !$0.contents.contains("\r") && $0.contents.hasSuffix("\n") })
        #expect(kind.command() == ["/bin/sh", "/the0/entrypoint.sh"])
        #expect(kind.environment(entrypoint: "a b")["SCRIPT_PATH"] == "a b")
    }

    @Test(arguments: EntrypointKind.allCases)
    func f41TheTextsDependOnNothing(kind: EntrypointKind) throws {
        #expect(kind.files == kind.files)
        for file in kind.files {
            #expect(!file.contents.contains("eval"))
            #expect(!file.contents.contains("sh -c"))
        }
    }

    private static let suffixes: [EntrypointKind: String] = [
        .python: ".py", .node: ".js", .native: "", .dotnet: ".dll", .jvm: ".jar",
    ]

    @Test(arguments: EntrypointKind.allCases, Bot.Shell.allCases)
    func f41HostileEntrypointNamesAreNamesOfFiles(kind: EntrypointKind, shell: Bot.Shell) async throws {
        let stems = [
            "a b", "it's", "\"q\"", "-rf", "--help", "a;touch x", "$(touch x)", "`touch x`", "a&b|c>d", "*", "~", "ż🐢",
            "a\\nb", "@x", "%s",
        ]
        for stem in stems {
            for folder in ["", "dir $x/"] {
                let entrypoint = folder + stem + (Self.suffixes[kind] ?? "")
                try validateEntrypoint(entrypoint, kind: kind)
                let bot = try Self.recorded(kind, entrypoint, shell)
                let ended = try await bot.run()
                #expect(ended.code == 0, "\(entrypoint): \(ended.stderr)")
                #expect(ended.stderr == "")
                let code = bot.code.path(percentEncoded: false)
                let scripts = bot.scripts.path(percentEncoded: false)
                let called =
                    switch kind {
                    case .python: ["python3", "-u", scripts + "/the0_python.py"]
                    case .node: ["node", scripts + "/the0_node.cjs"]
                    case .native: [stem]
                    case .dotnet: ["dotnet", "./" + entrypoint]
                    case .jvm: ["java", "-jar", "./" + entrypoint]
                    }
                #expect(ended.stdout == (called + [code, "bot-1", "{}"]).joined(separator: "\n") + "\n")
                #expect(try bot.names().count == 1)
            }
        }
    }

    @Test(arguments: [EntrypointKind.native, .dotnet, .jvm], Bot.Shell.allCases)
    func f41ValuesArriveAsTheyAreAndRunNothing(kind: EntrypointKind, shell: Bot.Shell) async throws {
        for value in hostileValues {
            var bot = try Self.recorded(kind, "bot" + (Self.suffixes[kind] ?? ""), shell)
            bot.environment["BOT_ID"] = value
            bot.environment["BOT_CONFIG"] = "[\(value)]"
            let ended = try await bot.run()
            #expect(ended.stdout.hasSuffix("\n\(value)\n[\(value)]\n"))
            #expect(try bot.names().count == 1)
        }
    }

    @Test(arguments: EntrypointKind.allCases)
    func f41AConfigOf100KilobytesArrives(kind: EntrypointKind) async throws {
        var bot = try Self.recorded(kind, "bot" + (Self.suffixes[kind] ?? ""), .dash)
        let config = #"{"k": ""# + String(repeating: "é'", count: 34_000) + #""}"#
        bot.environment["BOT_CONFIG"] = config
        #expect(try await bot.run().stdout.hasSuffix("\n\(config)\n"))
    }

    @Test(arguments: EntrypointKind.allCases, Bot.Shell.allCases)
    func whatIsMissingIsNamed(kind: EntrypointKind, shell: Bot.Shell) async throws {
        let name = "no such" + (Self.suffixes[kind] ?? "")
        var bot = try Bot(kind, name)
        bot.shell = shell
        let missing = try await bot.run()
        #expect(missing.code == EntrypointExitCode.notFound)
        // Where the interpreter isn't there either, that is said.
        #expect(missing.stderr.contains("'\(name)' not found") || missing.stderr.contains("'node' not found"))
        #expect(missing.stderr.contains("code dir"))

        bot.environment["THE0_CODE_DIR"] = "/no such directory"
        let lost = try await bot.run()
        #expect(lost.code == EntrypointExitCode.notFound)
        #expect(lost.stderr.contains("/no such directory"))

        bot.environment["SCRIPT_PATH"] = nil
        let unset = try await bot.run()
        #expect(unset.code == EntrypointExitCode.badEnvironment)
        #expect(unset.stderr.contains("SCRIPT_PATH is not set"))
    }

    @Test(arguments: [EntrypointKind.python, .node, .dotnet, .jvm], Bot.Shell.allCases)
    func aMissingInterpreterIsNamed(kind: EntrypointKind, shell: Bot.Shell) async throws {
        let name = "bot" + (Self.suffixes[kind] ?? "")
        var bot = try Bot(kind, name, files: [name: ""])
        bot.shell = shell
        bot.environment["PATH"] = "/nowhere"
        let ended = try await bot.run()
        #expect(ended.code == EntrypointExitCode.notFound)
        let command = ["python": "python3", "node": "node", "dotnet": "dotnet", "jvm": "java"][kind.rawValue] ?? ""
        #expect(ended.stderr.contains("'\(command)' not found"))
    }

    @Test(arguments: [EntrypointKind.python, .native, .dotnet, .jvm])
    func aDirectoryIsNoEntrypoint(kind: EntrypointKind) async throws {
        let name = "bot" + (Self.suffixes[kind] ?? "")
        let ended = try await Bot(kind, name, files: [name + "/x": ""]).run()
        #expect(ended.code == EntrypointExitCode.notExecutable)
        #expect(ended.stderr.contains("is not a file"))
    }

    /// The bot's own files of these names are its own: ours are found beside the script.
    @Test(arguments: EntrypointKind.allCases)
    func f46TheBotsOwnFilesOfTheseNamesStay(kind: EntrypointKind) async throws {
        let name = "bot" + (Self.suffixes[kind] ?? "")
        let bot = try Self.recorded(kind, name, .dash)
        for file in kind.files { try bot.write(file.name, "the bot's own") }
        let ended = try await bot.run()
        #expect(ended.code == 0)
        #expect(!ended.stdout.contains("code dir/the0_"))
        for file in kind.files {
            #expect(bot.text(file.name) == "the bot's own")
            let ours = try String(contentsOf: bot.scripts.appending(path: file.name), encoding: .utf8)
            #expect(ours == file.contents)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: bot.scripts.path(percentEncoded: false))
        #expect(Set(left) == Set(kind.files.map(\.name)))
    }

    @Test(arguments: EntrypointKind.allCases, Bot.Shell.allCases)
    func theCodeLiesInTheMountDirectoryUnlessSaidOtherwise(kind: EntrypointKind, shell: Bot.Shell) async throws {
        let name = "bot" + (Self.suffixes[kind] ?? "")
        var bot = try Self.recorded(kind, name, shell)
        bot.environment["THE0_CODE_DIR"] = nil
        bot.environment["CODE_MOUNT_DIR"] = String(bot.code.path(percentEncoded: false).dropFirst())
        #expect(try await bot.run().code == 0)
    }
}
