import Foundation
import Model
import TestSupport

/// The real `runtime` program, run as a test needs it: with flags and an environment of its own, killed, stopped, read.
final class RunnerProcess: Sendable {
    /// The program that was built beside the tests.
    static let program: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("runtime").path
    }()

    /// Variables of this machine that would be settings of the program.
    static let clearedVariables: [String: String?] = Dictionary(
        uniqueKeysWithValues: [
            "MONGO_URI", "NATS_URL", "STORE", "MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "TEMP_DIR",
            "LOG_LEVEL", "LOG_FORMAT", "RUNTIME_INSTANCE", "LISTEN", "RECONCILE_INTERVAL", "CHECK_INTERVAL",
            "MINIO_BACKTESTS_BUCKET", "OBJECT_STORE_DIR", "RUNTIME_BACKEND",
        ].map { ($0, nil) }
    )

    /// The process.
    let process: ChildProcess
    private let log: String

    /// Starts the program.
    /// - Parameters:
    ///   - arguments: command and flags.
    ///   - starter: what starts it in its own place.
    ///   - environment: added to this process's own, without the program's own variables.
    ///   - folder: the working folder.
    ///   - log: the file for all that it prints.
    init(
        _ arguments: [String],
        under starter: [String] = [],
        environment: [String: String],
        folder: String,
        log: String
    ) throws {
        self.log = log
        process = try ChildProcess(
            starter + [Self.program] + arguments,
            environment: Self.clearedVariables.merging(environment) { _, given in given },
            folder: folder,
            output: log
        )
    }

    /// All that it has printed.
    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// The lines of its JSON log, as far as they are whole.
    var entries: [LogEntry] {
        let text = output
        let whole = text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex)
        return whole.split(separator: "\n").compactMap { LogEntry(line: String($0)) }
    }

    /// The processes's files and sockets, and its threads.
    var resources: (descriptors: Int, threads: Int) {
        func count(_ name: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/\(name)").count) ?? -1
        }
        return (count("fd"), count("task"))
    }

    /// Waits for a line in the log.
    @discardableResult
    func waitForLog(
        within limit: Duration = .seconds(60),
        _ what: String,
        _ condition: @escaping (LogEntry) -> Bool
    ) async throws -> LogEntry {
        do {
            return try await slowly(within: limit, what) {
                if let found = entries.first(where: condition) { return found }
                if let ended = process.termination { throw FixtureError("the runner ended with \(ended)") }
                return nil
            }
        } catch let error as FixtureError {
            throw FixtureError("\(error)\nthe runner's log ends with:\n\(output.suffix(3000))")
        }
    }

    /// Waits until the log says that a bot has a status, `count` times.
    func waitForStatus(
        _ status: String,
        of bots: String...,
        count: Int = 1,
        within limit: Duration = .seconds(60)
    ) async throws {
        for bot in bots {
            try await waitForLog(within: limit, "\(bot) is \(status)") { _ in
                self.entries.count { $0.message == "bot \(status)" && $0.metadata["bot"] == bot } >= count
            }
        }
    }

    /// The port of its status server.
    func port() async throws -> String {
        let entry = try await waitForLog("a status server") { $0.message == "status server is listening" }
        return entry.metadata["port"] ?? ""
    }

    /// What its status server answers.
    func get(_ path: String) async throws -> String {
        let url = "http://127.0.0.1:\(try await port())\(path)"
        return try await requireCommand(["curl", "-sS", "-m", "5", url])
    }

    /// The value of a metric by its full name with labels, 0 when it isn't there.
    func metric(_ name: String) async throws -> Double {
        let line = try await get("/metrics").split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) } ?? 0
    }

    /// Waits until its first full pass is done and everything it depends on answers.
    func waitUntilReady(within limit: Duration = .seconds(60)) async throws {
        try await slowly(within: limit, "the runner is ready") {
            try await get("/readyz").contains(#""ready":true"#) ? true : nil
        }
    }

    /// SIGKILL, as in a crash.
    func kill() async {
        process.killGroup()
        _ = await process.ended()
    }

    /// SIGTERM.
    /// - Returns: how it ended; nil when it hasn't in time.
    @discardableResult
    func terminate(within limit: Duration = .seconds(30)) async -> Termination? {
        process.send(SIGTERM)
        return await process.ended(within: limit)
    }
}

/// A line of the program's JSON log.
struct LogEntry: Sendable {
    let level: String
    let message: String
    /// Values that aren't text appear as their JSON.
    let metadata: [String: String]

    init?(line: String) {
        guard let object = try? JSONValue.parse(line).object, let level = object["level"]?.string,
            let message = object["message"]?.string
        else { return nil }
        self.level = level
        self.message = message
        var metadata: [String: String] = [:]
        for (name, value) in object["metadata"]?.object?.members ?? [] { metadata[name] = value.string ?? value.text }
        self.metadata = metadata
    }
}

/// Waits for a value as `eventuallyValue` does, for what costs a process to ask: five times a second.
@discardableResult
func slowly<Value>(
    within limit: Duration = .seconds(60),
    _ what: String,
    value: () async throws -> Value?
) async throws -> Value {
    try await eventuallyValue(within: limit, what) {
        if let found = try await value() { return found }
        try await Task.sleep(for: .milliseconds(150))
        return nil
    }
}
