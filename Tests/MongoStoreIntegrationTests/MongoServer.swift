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
    static func with<Value>(_ arguments: [String] = [], _ body: (MongoServer) async throws -> Value) async throws -> Value {
        let server = try MongoServer(arguments)
        defer { server.remove() }
        try await server.start()
        return try await body(server)
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
            try await Task.sleep(for: .milliseconds(20))
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

private func freePort() throws -> Int {
    let socket = try listening()
    defer { close(socket) }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}

private func listening() throws -> Int32 {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let bound = withAddress(port: 0) { bind(socket, $0, $1) }
    try #require(bound == 0)
    return socket
}

private func accepts(port: Int) -> Bool {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    return withAddress(port: port) { connect(socket, $0, $1) } == 0
}

private func withAddress(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
