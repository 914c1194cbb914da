import Foundation
import HTTP
import Model
import Synchronization
import TestSupport
import Util

/// The release-built `runtime` program, run as an operator runs it.
final class RuntimeProcess: Sendable {
    /// The program that was built beside this one.
    static let program: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("runtime").path
    }()

    /// Variables of this machine that would be settings of the program.
    private static let cleared: [String: String?] = Dictionary(
        uniqueKeysWithValues: [
            "MONGO_URI", "NATS_URL", "STORE", "MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "TEMP_DIR",
            "LOG_LEVEL", "LOG_FORMAT", "RUNTIME_INSTANCE", "LISTEN", "RECONCILE_INTERVAL", "CHECK_INTERVAL",
            "DOCKER_HOST",
            "PARALLEL_STARTS", "COLLECT_LOGS", "RESTART_INITIAL", "RESTART_MAXIMUM",
        ].map { ($0, nil) }
    )

    /// When it was asked for.
    let spawnedAt: Timestamp
    let process: ChildProcess
    private let log: String
    private let client = HTTPClient(maxConnections: 2)
    private let port = Mutex<String?>(nil)

    /// Starts it.
    /// - Parameters:
    ///   - environment: its settings.
    ///   - log: the file for all that it prints; emptied first.
    init(_ arguments: [String], environment: [String: String], log: String) throws {
        self.log = log
        try? FileManager.default.removeItem(atPath: log)
        spawnedAt = Timestamp.now
        process = try ChildProcess(
            [Self.program] + arguments,
            environment: Self.cleared.merging(environment) { _, given in given },
            output: log
        )
    }

    /// All that it has printed.
    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// The whole lines of its JSON log.
    var entries: [LogEntry] {
        let text = output
        let whole = text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex)
        return whole.split(separator: "\n").compactMap { LogEntry(line: $0) }
    }

    /// What `/metrics` or another path of its status server answers.
    func get(_ path: String) async throws -> (status: Int, text: String) {
        let port = try await listeningPort()
        let response = try await client.execute(HTTPRequest(url: "http://127.0.0.1:\(port)\(path)"))
        let text = String(decoding: try await response.body.collect(upTo: 8 << 20), as: UTF8.self)
        return (response.status, text)
    }

    private func listeningPort() async throws -> String {
        if let known = port.withLock({ $0 }) { return known }
        let found = try await eventuallyValue(within: .seconds(30), "a status server") {
            if let ended = process.termination { throw FixtureError("the program ended with \(ended)") }
            return entries.first { $0.message == "status server is listening" }?.metadata["port"]
        }
        port.withLock { $0 = found }
        return found
    }

    /// Its metrics by full name with labels.
    func metrics() async throws -> [String: Double] {
        try await get("/metrics").text.split(separator: "\n").reduce(into: [:]) { metrics, line in
            let parts = line.split(separator: " ")
            if parts.count == 2, let value = Double(parts[1]) { metrics[String(parts[0])] = value }
        }
    }

    /// Waits until its first full pass is done and everything it depends on answers.
    func waitUntilReady(within limit: Duration = .seconds(120)) async throws {
        do {
            try await eventually(within: limit, "the program is ready") { try await get("/readyz").status == 200 }
        } catch {
            throw FixtureError("\(error)\n\(output.suffix(2000))")
        }
    }

    /// How many full passes it has made, and how long they took in all.
    func passes() async throws -> (count: Int, seconds: Double) {
        let metrics = try await metrics()
        let name = "reconcile_pass_duration_seconds"
        return (Int(metrics["\(name)_count"] ?? 0), metrics["\(name)_sum"] ?? 0)
    }

    /// What it has used so far.
    var usage: ProcessUsage { get throws { try ProcessUsage(pid: process.pid) } }

    /// SIGTERM, and SIGKILL when it stays; also when the calling task was cancelled.
    func stop() async {
        process.send(SIGTERM)
        await Task { [process] in
            if await process.ended(within: .seconds(20)) == nil { process.killGroup() }
            _ = await process.ended()
        }.value
    }
}

/// A line of the program's JSON log.
struct LogEntry: Sendable {
    let time: Timestamp
    let message: String
    let metadata: [String: String]

    init?(line: some StringProtocol) {
        guard let object = try? JSONValue.parse(String(line)).object, let message = object["message"]?.string,
            let time = object["time"]?.string.flatMap({ try? RFC3339.parse($0) })
        else { return nil }
        self.time = time
        self.message = message
        metadata = (object["metadata"]?.object?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.string }
    }
}
