public import Logging
import Synchronization
import Util

/// A connection to NATS that is made once and heals for ever.
///
/// A connection that is lost comes back by itself. Where there is none, because no server answers or the library has given
/// up — it does after a second refusal of the credentials — each use tries to make one.
///
/// Safety: everything mutable is behind a mutex.
public final class NATSConnection: Sendable, CustomStringConvertible {
    private struct State {
        var link: Link?
        var isClosed = false
        var lastError: NATSError?
    }

    let logger: Logger
    private let options: NATSConnectionOptions
    private let servers: Servers
    private let executor: BlockingExecutor
    private let opening = AsyncSemaphore(permits: 1)
    private let state = Mutex(State())

    /// Prepares a connection; nothing is sent before its first use.
    ///
    /// - Throws: ``NATSError`` with code `invalidOptions` when the options can't be used; the message has no password.
    public init(_ options: NATSConnectionOptions, logger: Logger) throws(NATSError) {
        self.options = options
        self.logger = logger
        servers = try Servers(options.url)
        _ = try LinkOptions(options, servers)
        do { executor = try BlockingExecutor(name: "nats", threads: 4) } catch {
            throw NATSError(.unavailable, "NATS: \(error)", cause: error)
        }
    }

    /// Whether a server answers now.
    public var isConnected: Bool { state.withLock { $0.link }?.state.isConnected ?? false }

    /// What went wrong last; nil while connected.
    public var lastError: NATSError? {
        let (link, error) = state.withLock { ($0.link, $0.lastError) }
        guard let link else { return error }
        return link.state.isConnected ? nil : link.state.lastError ?? error
    }

    /// The servers, without passwords.
    public var description: String { servers.shown }

    /// Sends a message and returns once the server has it.
    /// - Throws: ``NATSError`` when it doesn't arrive in time, or is larger than the server allows.
    public func publish(_ subject: String, _ payload: [UInt8]) async throws(NATSError) {
        let link = try await link()
        try await link.publish(subject, payload)
        try await link.flush()
    }

    /// Ends the connection for good and returns when nothing is left of it.
    public func close() async {
        let link = state.withLock { state in
            defer { (state.link, state.isClosed) = (nil, true) }
            return state.link
        }
        await link?.close()
    }

    /// The present connection, or a new one where there is none or the library has given it up.
    func link() async throws(NATSError) -> Link {
        do {
            return try await opening.withPermit { try await self.openedLink() }
        } catch let error as NATSError {
            throw error
        } catch {
            throw NATSError(.closed, "NATS: connecting to \(servers.shown): cancelled", cause: error)
        }
    }

    private func openedLink() async throws(NATSError) -> Link {
        let (current, isClosed) = state.withLock { ($0.link, $0.isClosed) }
        guard !isClosed else { throw closedError }
        if let current {
            guard current.state.isClosed else { return current }
            // From here on the error that counts is that of the next attempt.
            state.withLock { ($0.link, $0.lastError) = (nil, current.state.lastError) }
        }
        let link: Link
        do throws(NATSError) { link = try await Link.open(options, servers, executor, logger) } catch {
            state.withLock { $0.lastError = error }
            throw error
        }
        let isWanted = state.withLock { state in
            guard !state.isClosed else { return false }
            state.link = link
            return true
        }
        guard isWanted else {
            await link.close()
            throw closedError
        }
        return link
    }

    private var closedError: NATSError {
        NATSError(.closed, "NATS: the connection to \(servers.shown) was closed and can't be used again")
    }
}
