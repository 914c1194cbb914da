import Foundation
import Synchronization

/// A service of a test's own: its process, its folder, and the ways in which services fail.
///
/// It keeps its address and its data over `kill()` and `restart()`. It ends with the test process.
public final class LocalService: Sendable {
    /// What it is, for messages.
    public let name: String
    /// Its folder, removed with it.
    public let folder: TemporaryFolder

    private let command: [String]
    private let environment: [String: String?]
    private let answers: @Sendable () async -> Bool
    private let process = Mutex<ChildProcess?>(nil)

    /// Starts it and waits until it answers.
    /// - Parameters:
    ///   - answers: whether it does its work now.
    /// - Throws: `FixtureError` with the end of its log when it ended or did not answer within a minute.
    init(
        _ name: String,
        folder: TemporaryFolder,
        command: [String],
        environment: [String: String?] = [:],
        answers: @escaping @Sendable () async -> Bool
    ) async throws {
        self.name = name
        self.folder = folder
        self.command = command
        // Some services write their logs to the folder for temporary files.
        self.environment = environment.merging(["TMPDIR": folder.path]) { own, _ in own }
        self.answers = answers
        try await start()
    }

    /// The file with all that it has printed.
    public var log: String { folder.file("\(name).log") }

    /// Its process id; nil while it does not run.
    public var pid: Int32? { process.withLock { $0?.pid } }

    /// Starts it again, at the same address and with the same data, and waits until it answers.
    public func start() async throws {
        if await answers() { throw FixtureError("\(name): somebody else answers at its address already: \(command)") }
        let started = try ChildProcess(command, environment: environment, folder: folder.path, output: log)
        process.withLock { $0 = started }
        try await waitUntilItAnswers(started)
    }

    /// SIGKILL, as in a crash; returns when the process is gone.
    public func kill() async {
        await end { $0.killGroup() }
    }

    /// SIGSTOP: connections stay open, and nothing is ever answered.
    public func hang() {
        process.withLock { $0 }?.stop()
    }

    /// SIGCONT after `hang()`, without waiting.
    public func letGo() {
        process.withLock { $0 }?.send(SIGCONT)
    }

    /// SIGCONT after `hang()`, and waits until it answers.
    public func resume() async throws {
        guard let running = process.withLock({ $0 }) else { throw FixtureError("\(name) does not run") }
        running.send(SIGCONT)
        try await waitUntilItAnswers(running)
    }

    /// Ends it (SIGTERM, after three seconds SIGKILL) and starts it again.
    public func restart() async throws {
        await end { running in
            running.send(SIGTERM)
            if await running.ended(within: .seconds(3)) == nil { running.killGroup() }
        }
        try await start()
    }

    /// Ends it for good and removes its folder.
    public func stop() async {
        await kill()
        folder.remove()
    }

    private func end(_ how: (ChildProcess) async -> Void) async {
        guard let running = process.withLock({ $0 }) else { return }
        await how(running)
        // A cancelled test ends its services all the same.
        while running.termination == nil { await Task { _ = await running.ended() }.value }
        process.withLock { if $0 === running { $0 = nil } }
        // What it has started itself is killed by the kernel a moment later.
        for _ in 0..<200 where await answers() { usleep(10_000) }
    }

    private func waitUntilItAnswers(_ running: ChildProcess) async throws {
        do {
            try await eventually(within: .seconds(60), "\(name) answers") {
                if running.termination != nil { throw CancellationError() }
                return await answers()
            }
        } catch {
            try Task.checkCancellation()
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            let state = running.termination.map { "ended with \($0)" } ?? "does not answer"
            throw FixtureError("\(name) \(state): \(command)\n\(text.suffix(2000))")
        }
    }
}
