import Foundation
import Logging
import MongoStore
import Synchronization
import Testing

/// A server of the tests' own: the stand-in that speaks MongoDB's protocol, on a free port, in a temporary folder.
final class MongoServer: Sendable {
    let port: Int
    private let folder: URL
    private let arguments: [String]
    private let process = Mutex<Process?>(nil)

    /// Runs something with a server, and ends that whatever happens.
    static func with(_ arguments: [String] = [], _ body: (MongoServer) async throws -> Void) async throws {
        try await onOwnThreads {
            let server = try MongoServer(arguments)
            defer { server.remove() }
            try await server.start()
            try await body(server)
        }
    }

    private init(_ arguments: [String]) throws {
        self.arguments = arguments
        port = try freePort()
        folder = FileManager.default.temporaryDirectory.appending(path: "mongo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func uri(_ options: String = "", credentials: String = "") -> String {
        "mongodb://\(credentials)127.0.0.1:\(port)/\(options.isEmpty ? "" : "?\(options)")"
    }

    func connection(_ options: String = "", logger: Logger = .silent) throws -> MongoConnection {
        try MongoConnection(uri: uri(options), logger: logger)
    }

    func start(_ further: [String] = []) async throws {
        let child = Process()
        child.executableURL = URL(
            filePath: ProcessInfo.processInfo.environment["SECANTUSD"] ?? "/tmp/probevenv/bin/secantusd-py"
        )
        child.arguments =
            ["--port", "\(port)", "--storage-path", folder.appending(path: "data").path, "--sync-on-commit"] + arguments
            + further
        child.currentDirectoryURL = folder
        child.standardOutput = FileHandle.nullDevice
        child.standardError = FileHandle.nullDevice
        try child.run()
        process.withLock { $0 = child }
        let deadline = ContinuousClock.now + .seconds(30)
        while !accepts(port: port) {
            try #require(child.isRunning && ContinuousClock.now < deadline, "the server doesn't start")
            pause(.milliseconds(20))
        }
    }

    func signal(_ number: Int32) {
        guard let pid = process.withLock({ $0?.processIdentifier }) else { return }
        _ = Foundation.kill(pid, number)
    }

    /// Dies as in a power cut.
    func crash() {
        signal(SIGKILL)
        process.withLock { child in
            child?.waitUntilExit()
            child = nil
        }
    }

    private func remove() {
        crash()
        try? FileManager.default.removeItem(at: folder)
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
