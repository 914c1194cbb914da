import Foundation
import TestSupport

@testable import runtime_cli

/// The built program, run as an operator does, in a folder and with an environment of its own.
struct RuntimeProgram: Sendable {
    let folder: TemporaryFolder
    /// What is set besides.
    var environment: [String: String] = [:]

    init() throws { folder = try TemporaryFolder() }

    /// It lies beside the running test program.
    static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("runtime").path

    /// Whatever this machine sets is of no effect, and nothing is written outside the folder.
    private var variables: [String: String?] {
        var variables: [String: String?] = ["HOME": folder.path, "XDG_CACHE_HOME": nil, "NO_COLOR": "1"]
        for name in SettingKey.all.flatMap(\.variables) { variables.updateValue(nil, forKey: name) }
        return variables.merging(environment) { $1 }
    }

    /// Runs it to its end.
    func run(_ arguments: String...) async throws -> CommandResult { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> CommandResult {
        try await runCommand([Self.path] + arguments, environment: variables, folder: folder.path)
    }

    /// Starts it; what it prints goes to the folder's file "log".
    func start(_ arguments: [String]) throws -> ChildProcess { try start(command: [Self.path] + arguments) }

    /// Starts a command that starts it.
    func start(command: [String]) throws -> ChildProcess {
        try ChildProcess(command, environment: variables, folder: folder.path, output: folder.file("log"))
    }

    /// Everything it has printed so far.
    var log: String {
        String(decoding: FileManager.default.contents(atPath: folder.file("log")) ?? Data(), as: UTF8.self)
    }

    /// Waits until it has printed something.
    func printed(_ text: String) async throws {
        try await eventually(within: .seconds(30), "\(text) in the log") { log.contains(text) }
    }

    /// Makes an empty directory store.
    func makeStore() throws -> String {
        try folder.write("bots/bots.yaml", "[]\n")
        return folder.file("bots")
    }
}

/// What a server on this machine answered.
struct Answer: Sendable {
    let status: Int
    let body: String

    init(port: UInt16, path: String) async throws {
        let format = "\n%{http_code}"
        let url = "http://127.0.0.1:\(port)\(path)"
        let text = try await requireCommand(["curl", "--silent", "--max-time", "10", "--write-out", format, url])
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        status = Int(lines.last ?? "") ?? 0
        body = lines.dropLast().joined(separator: "\n")
    }
}
