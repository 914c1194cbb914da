import Foundation
import Model
import TestSupport
import Testing

@testable import runtime_cli

/// The built program with an engine that answers, and a store of one bot that can't be used: nothing needs to be started.
@Suite struct ProgramWorkTests {
    private let program: RuntimeProgram
    private let engine: EmptyEngine
    private let flags: [String]

    init() throws {
        program = try RuntimeProgram()
        let socket = program.folder.file("engine.sock")
        engine = try EmptyEngine(path: socket)
        try program.folder.write("bots/bots.yaml", "- id: one\n  bot: nowhere\n  config: {key: config-hush}\n")
        flags = ["--store", program.folder.file("bots"), "--docker-host", "unix://\(socket)"]
    }

    @Test func planIsATableOrJSON() async throws {
        defer { engine.stop() }
        let table = try await program.run(["plan"] + flags)
        #expect(table.isSuccess && table.errors.isEmpty, "\(table.errorText)")
        let lines = table.text.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("BOT  STATUS") && lines[1].hasPrefix("one  invalid"))
        let json = try await program.run(["plan", "--output", "json"] + flags)
        #expect(json.isSuccess && json.errors.isEmpty, "\(json.errorText)")
        let value = try JSONSerialization.jsonObject(with: json.output) as? [String: Any]
        let bots = value?["bots"] as? [[String: Any]]
        #expect(
            bots?.count == 1 && bots?.first?["id"] as? String == "one" && bots?.first?["status"] as? String == "invalid"
        )
        for text in [table.text, json.text] { #expect(!text.contains("hush")) }
    }

    @Test func onePassTellsWhetherAllIsWell() async throws {
        defer { engine.stop() }
        _ = try program.makeStore()
        let well = try await program.run(["bot-runner", "--once"] + flags)
        #expect(well.termination == .exited(0), "\(well.errorText)")
    }

    @Test func readinessComesWithTheFirstFullPass() async throws {
        defer { engine.stop() }
        let port = try freePort()
        let process = try program.start(["bot-runner", "--listen", "127.0.0.1:\(port)"] + flags)
        try await program.printed("status server is listening")
        try await eventually("readiness") { try await Answer(port: port, path: "/readyz").status == 200 }
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(0))
    }

    @Test func readerOfTheStatusTableMayGoAway() async throws {
        defer { engine.stop() }
        let piped = ["sh", "-c", "\"$0\" \"$@\" | head -c 0", RuntimeProgram.path, "bot-runner"]
        let process = try program.start(command: piped + ["--print-status", "--listen", "127.0.0.1:0"] + flags)
        try await program.printed("can't be printed any more")
        #expect(program.log.contains("Broken pipe"))
        #expect(process.termination == nil)
        // Only the program itself waits for it; the shell around it ends at once.
        _ = kill(-process.pid, SIGTERM)
        try await program.printed("stopping; bots run on")
    }

    @Test func statusTableIsPrinted() async throws {
        defer { engine.stop() }
        let process = try program.start(["bot-runner", "--print-status", "--listen", "127.0.0.1:0"] + flags)
        try await program.printed("BOT  STATUS   REASON\none  invalid  bot names the folder")
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(15)) == .exited(0))
        #expect(!program.log.contains("hush"))
    }
}
