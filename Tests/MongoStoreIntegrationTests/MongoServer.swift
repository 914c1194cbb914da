import Logging
import MongoStore
import TestSupport

extension MongoServer {
    /// Runs something with a server of its own, and ends that whatever happens.
    static func with(
        _ protection: Protection = .none,
        _ body: @Sendable (MongoServer) async throws -> Void
    ) async throws {
        let server = try await MongoServer.start(protection)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await onOwnThreads { try await body(server) }) } catch { outcome = .failure(error) }
        await server.stop()
        try outcome.get()
    }

    /// A connection without timeouts of the tests' own.
    func connection(_ options: String = "", logger: Logger = .silent) throws -> MongoConnection {
        try MongoConnection(uri: options.isEmpty ? uri : "\(uri)?\(options)", logger: logger)
    }
}

extension Logger {
    /// Logs nothing.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
