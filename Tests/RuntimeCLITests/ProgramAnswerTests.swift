import TestSupport
import Testing

@testable import runtime_cli

/// What the built program answers to commands that end by themselves.
@Suite struct ProgramAnswerTests {
    private let program: RuntimeProgram

    init() throws { program = try RuntimeProgram() }

    @Test(arguments: [
        ("", ["bot-runner", "plan", "version", "Exit codes: 0 done"]),
        ("bot-runner", ["Examples:", "--store", "--mongo-uri", "--listen", "--once", "MINIO_SECRET_KEY_FILE"]),
        ("plan", ["--output", "--last-lines", "what a pass of bot-runner would do"]),
        ("version", ["Prints the version."]),
    ])
    func helpTeaches(_ command: String, _ parts: [String]) async throws {
        let result = command.isEmpty ? try await program.run("--help") : try await program.run(command, "--help")
        #expect(result.termination == .exited(0))
        for part in parts { #expect(result.text.contains(part), "\(part)") }
        #expect(result.errors.isEmpty)
    }

    @Test func versionIsPrinted() async throws {
        let command = try await program.run("version")
        #expect(command.text == "runtime \(RuntimeVersion.current)\n" && command.isSuccess)
        let flag = try await program.run("--version")
        #expect(flag.text == "\(RuntimeVersion.current)\n" && flag.isSuccess)
    }

    @Test func unknownFlagsAndCommandsAreUsageErrors() async throws {
        for arguments in [
            ["bot-runner", "--stoer=x"], ["plan", "--once"], ["bot-walker"], ["plan", "--output=xml"],
            ["version", "x"],
        ] {
            let result = try await runCommand([RuntimeProgram.path] + arguments, folder: program.folder.path)
            #expect(result.termination == .exited(64), "\(arguments)")
            #expect(result.errorText.contains("Error: "))
            #expect(result.output.isEmpty)
        }
    }

    @Test(arguments: [
        (["--reconcile-interval", "soon"], [:], "error: --reconcile-interval: \"soon\" is no duration"),
        (["--listen", "8080"], [:], "error: --listen: cannot listen on \"8080\": it lacks a port"),
        (["--mongo-uri", "mongodb://"], [:], "error: --mongo-uri: MongoDB URI mongodb://: "),
        (
            ["--mongo-uri", "mongodb://h", "--nats-url", "http://h"], [:],
            "error: --nats-url: NATS URL http://h: the scheme"
        ),
        (
            ["--config", "/nowhere.yaml"], [:],
            "error: --config: \"/nowhere.yaml\" can't be read: No such file or directory"
        ),
        (["--cache-directory", "/dev/null/x"], [:], "error: --cache-directory: "),
        (
            [], ["MINIO_ENDPOINT": "minio"],
            "error: MINIO_ENDPOINT: needs MINIO_ACCESS_KEY or MINIO_ACCESS_KEY_FILE too"
        ),
        (
            [], ["MONGO_URI": "mongodb://me:hush-hush@h:port:port"],
            "error: MONGO_URI: MongoDB URI mongodb://me:***@h:port:port: "
        ),
        ([], ["BOT_MEMORY_LIMIT_MB": "lots"], "error: BOT_MEMORY_LIMIT_MB: \"lots\": expected a whole number"),
    ])
    func invalidSettingIsOneLineThatNamesIt(_ flags: [String], _ environment: [String: String], _ start: String)
        async throws
    {
        var program = program
        program.environment = environment
        for command in ["bot-runner", "plan"] where command == "bot-runner" || !flags.contains("--listen") {
            let result = try await program.run([command] + flags)
            #expect(result.termination == .exited(78), "\(command)")
            // MongoDB's library may say something of its own before, also that a killed process left its counters behind.
            let lines = result.errorText.split(separator: "\n").filter { !$0.contains("mongoc: ") }
            #expect(lines.count == 1 && lines[0].hasPrefix(start), "\(result.errorText)")
            #expect(!result.errorText.contains("hush-hush"))
            #expect(result.output.isEmpty)
        }
    }

    @Test func missingStoreIsUnavailable() async throws {
        let path = program.folder.file("missing")
        let once = try await program.run("bot-runner", "--once", "--store", path)
        #expect(once.termination == .exited(69))
        #expect(once.errorText.contains("error: ") && once.errorText.contains(path))
        let plan = try await program.run("plan", "--store", path)
        #expect(plan.termination == .exited(69))
        #expect(plan.errorText.contains(path))
        #expect(plan.output.isEmpty)
    }

    @Test func engineThatRefusesIsUnavailable() async throws {
        let store = try program.makeStore()
        let socket = program.folder.file("none.sock")
        for command in [["bot-runner", "--once"], ["plan"]] {
            let result = try await program.run(command + ["--store", store, "--docker-host", "unix://\(socket)"])
            #expect(result.termination == .exited(69))
            #expect(result.errorText.contains(socket), "\(result.errorText)")
            #expect(result.output.isEmpty)
        }
    }

    @Test func takenPortIsUnavailableAndNamed() async throws {
        let port = try freePort()
        let taken = try SilentSocket(port: port)
        let result = try await program.run(
            "bot-runner",
            "--store",
            program.makeStore(),
            "--listen",
            "127.0.0.1:\(port)"
        )
        #expect(result.termination == .exited(69))
        #expect(
            result.errorText.contains("error: ") && result.errorText.contains("127.0.0.1:\(port)"),
            "\(result.errorText)"
        )
        withExtendedLifetime(taken) {}
    }
}
