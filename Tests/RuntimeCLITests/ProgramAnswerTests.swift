import Foundation
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
        ("logs", ["--follow", "--since", "--tail", "--previous", "--timestamps", "--output", "Examples:"]),
        ("bot-scheduler", ["Examples:", "--store", "--check-interval", "--listen", "--stop-runs-on-exit"]),
        ("schedules", ["Shows what runs when", "list", "next", "run"]),
        ("runs", ["--limit", "--output", "Examples:"]),
        ("unpack", ["code.json", "--target", "--state", "Exit codes: 0 done, 65", "Example:"]),
        ("health", ["--ready", "--listen", "Example:"]),
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

    /// A killed process leaves libmongoc's shared memory behind; the next process of its number would print a warning.
    @Test func whatKilledProcessesLeftIsRemoved() async throws {
        let dead = try ChildProcess(["true"], folder: program.folder.path, output: program.folder.file("true"))
        #expect(await dead.ended(within: .seconds(60)) == .exited(0))
        let stale = "/dev/shm/mongoc-\(dead.pid)"
        try Data().write(to: URL(fileURLWithPath: stale))
        let result = try await program.run("version")
        #expect(result.isSuccess && !FileManager.default.fileExists(atPath: stale))
        // This process has loaded libmongoc too, and lives.
        #expect(FileManager.default.fileExists(atPath: "/dev/shm/mongoc-\(getpid())"))
    }

    @Test func aScheduleIsExplained() async throws {
        let arguments = [
            "schedules", "next", "30 9 * * MON-FRI", "--zone", "America/New_York", "--after", "2026-03-06T12:00:00Z",
        ]
        let result = try await program.run(arguments + ["--count", "2"])
        #expect(
            result.text == """
                at 09:30 on Monday to Friday (America/New_York)
                2026-03-06T14:30:00Z
                2026-03-09T13:30:00Z

                """
        )
        let wrong = try await program.run("schedules", "next", "0 25 * * *")
        #expect(wrong.termination == .exited(64) && wrong.errorText.contains("column 3"), "\(wrong.errorText)")
        let nowhere = try await program.run("schedules", "next", "@daily", "--zone", "Mars/Olympus")
        #expect(
            nowhere.termination == .exited(64) && nowhere.errorText.contains("Mars/Olympus"),
            "\(nowhere.errorText)"
        )
    }

    @Test func theLogOfNoBotIsAnError() async throws {
        let socket = program.folder.file("engine")
        let engine = try EmptyEngine(path: socket)
        defer { engine.stop() }
        let store = try program.makeStore()
        let result = try await program.run("logs", "nobody", "--store", store, "--docker-host", "unix://\(socket)")
        #expect(result.termination == .exited(69))
        #expect(result.errorText.contains("no bot \"nobody\""), "\(result.errorText)")
        let wrong = try await program.run("logs", "nobody", "--since", "yesterday")
        #expect(wrong.termination == .exited(64) && wrong.errorText.contains("expected a duration"))
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
