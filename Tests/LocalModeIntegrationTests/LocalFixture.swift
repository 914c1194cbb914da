import Foundation
import Logging
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import LocalMode

/// Runners over a folder of the test's own, which leave neither process nor folder nor control group behind.
final class LocalFixture: Sendable {
    let folder: TemporaryFolder
    let code: PackedCode
    let executor: BlockingExecutor

    /// The program that was built beside the tests, with the words that make it a supervisor.
    static let supervisor: [String] = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return [
            URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("runtime").path,
            "local-supervise",
        ]
    }()

    /// Two cores start few processes at once.
    private static let places = AsyncSemaphore(permits: 4)

    private init() throws {
        folder = try TemporaryFolder()
        code = try PackedCode()
        executor = try BlockingExecutor(name: "local-test", threads: 4)
    }

    /// Runs a test, ends what it left, and checks that nothing remains.
    static func with(_ body: (LocalFixture) async throws -> Void) async throws {
        try await places.withPermit {
            let fixture = try LocalFixture()
            let failure: (any Error)?
            do {
                try await body(fixture)
                failure = nil
            } catch {
                failure = error
            }
            try await fixture.clear()
            if let failure { throw failure }
        }
    }

    var directory: String { folder.file("data") }

    func runner(
        _ settings: LocalSettings = LocalSettings(stopGrace: .seconds(2)),
        path: String = "/usr/local/bin:/usr/bin:/bin"
    ) async throws -> LocalRunner {
        try await LocalRunner.open(
            directory: directory,
            instance: "test",
            code: code,
            settings: settings,
            supervisor: Self.supervisor,
            path: path,
            executor: executor,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    var data: DataFolder { DataFolder(directory: directory, instance: "test") }

    /// The folder of a bot's run.
    func run(_ id: BotID) -> RunFolder { data.run(DataFolder.name(of: .live, id: id)) }

    /// The processes of the bot's supervisor and its first one.
    func status(_ id: BotID) throws -> RunStatus { try #require(try RunStatus.read(run(id))) }

    /// The processes that carry the mark of a run of this fixture.
    func processes(_ id: BotID) throws -> [ProcessIdentity] {
        guard let record = try RunRecord.read(run(id)) else { return [] }
        return try ProcessTable.withEnvironment(record.marker)
    }

    func spec(
        _ id: BotID,
        config: JSONObject = ["a": 1],
        builder: LaunchSpecBuilder = LaunchSpecBuilder(),
        _ program: String
    )
        throws -> LaunchSpec
    {
        try code.spec(id, config: config, builder: builder, files: ["main.py": program])
    }

    func exit(_ runner: LocalRunner, _ id: BotID) async throws -> Exit {
        try await eventuallyValue(within: .seconds(30), "the end of \(id)") {
            try await runner.runs(of: .live, id: id).first?.exit
        }
    }

    /// What a bot has printed so far.
    func printed(_ runner: LocalRunner, _ id: BotID) async throws -> [String] {
        guard let run = try await runner.runs(of: .live, id: id).first else { return [] }
        return try await runner.lastLines(of: run, limit: 1000).map(\.text)
    }

    /// Waits for a line of a bot.
    func waitFor(_ runner: LocalRunner, _ id: BotID, line: String) async throws {
        try await eventually(within: .seconds(30), "\(id) prints \(line)") {
            try await printed(runner, id).contains(line)
        }
    }

    private func clear() async throws {
        let runner = try await runner(LocalSettings(stopGrace: .zero))
        var groups: [String] = []
        var markers: [String] = []
        for kind in ExecutableKind.allCases {
            for state in try runner.states(of: kind) {
                groups += state.record.groups
                markers.append(state.record.marker)
            }
            for run in try await runner.runs(of: kind) { try await runner.remove(run) }
            #expect(try await runner.runs(of: kind).isEmpty)
        }
        for group in groups { #expect(!SystemFile.exists(group)) }
        for marker in markers { #expect(try ProcessTable.withEnvironment(marker).isEmpty) }
        #expect(try SystemFile.names(in: data.staging) == [])
        code.remove()
        folder.remove()
    }
}

/// A program that runs until it is stopped.
let sleeper = "import time\nprint('up', flush=True)\nwhile True: time.sleep(1)\n"
