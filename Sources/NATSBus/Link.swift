import CNats
import Logging
import Util

/// One connection of the library, which heals by itself until it is closed.
///
/// Safety: a `natsConnection` may be used from any thread; it is destroyed when nobody has this object any more.
final class Link: @unchecked Sendable {
    let pointer: OpaquePointer
    let state: LinkState
    let requestTimeout: Int64
    private let executor: BlockingExecutor

    /// Connects. (The library can also go on trying by itself, but then doesn't tell why it fails.)
    static func open(
        _ options: NATSConnectionOptions,
        _ servers: Servers,
        _ executor: BlockingExecutor,
        _ logger: Logger
    ) async throws(NATSError) -> Link {
        try await withTaskExecutorPreference(executor) { () throws(NATSError) in
            try Link(options, servers, executor, logger)
        }
    }

    private init(
        _ options: NATSConnectionOptions,
        _ servers: Servers,
        _ executor: BlockingExecutor,
        _ logger: Logger
    ) throws(NATSError) {
        let state = LinkState(servers, logger)
        let made = try LinkOptions(options, servers)
        // Given back by `linkClosed`, or below where there will be no callback.
        let context = Unmanaged.passRetained(state)
        var connection: OpaquePointer?
        var status = made.setCallbacks(context.toOpaque())
        if status == NATS_OK { status = natsConnection_Connect(&connection, made.pointer) }
        guard status == NATS_OK, let connection else {
            // A first attempt that fails is told by its result alone.
            context.release()
            throw NATSError(status, "connecting to \(servers.shown)", detail: lastDetail(servers))
        }
        pointer = connection
        self.state = state
        self.executor = executor
        requestTimeout = options.requestTimeout.milliseconds
        state.connected(isFirst: true)
    }

    deinit { natsConnection_Destroy(pointer) }

    /// Runs calls that may block, on a thread for that. They are bounded by the library's timeouts; a cancelled caller
    /// gets its answer all the same, since a clean end needs calls too.
    func call<Value: Sendable>(
        _ body: @escaping @Sendable (OpaquePointer) throws(NATSError) -> Value
    ) async throws(NATSError) -> Value {
        try await withTaskExecutorPreference(executor) { () throws(NATSError) in
            guard !self.state.isClosed else { throw self.closedError }
            return try body(self.pointer)
        }
    }

    /// Runs calls that may block and matter even when the link is closed.
    func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withTaskExecutorPreference(executor) { body() }
    }

    /// Returns once the server has taken all that was sent before.
    func flush() async throws(NATSError) {
        let (timeout, shown) = (requestTimeout, state.servers.shown)
        try await call { connection throws(NATSError) in
            try natsConnection_FlushTimeout(connection, timeout).check("flushing to \(shown)")
        }
    }

    /// Sends a message, or keeps it until there is a connection again.
    func publish(_ subject: String, _ payload: [UInt8]) async throws(NATSError) {
        try await call { connection throws(NATSError) in
            try Link.send(connection, subject, payload)
        }
    }

    /// Sends a message. Blocks when the line to the server is full.
    static func send(
        _ connection: OpaquePointer,
        _ subject: String,
        reply: String? = nil,
        _ payload: [UInt8]
    ) throws(NATSError) {
        let what = "publishing to \(subject)"
        guard let length = Int32(exactly: payload.count) else { throw NATSError(NATS_MAX_PAYLOAD, what) }
        let status = payload.withUnsafeBytes { bytes in
            guard let reply else { return natsConnection_Publish(connection, subject, bytes.baseAddress, length) }
            return natsConnection_PublishRequest(connection, subject, reply, bytes.baseAddress, length)
        }
        try status.check(what)
    }

    /// Ends the connection and waits until the library has let go of it.
    func close() async {
        let isConnected = state.isConnected
        let timeout = requestTimeout
        await withTaskExecutorPreference(executor) {
            // What was acknowledged last should arrive. Closing is right whether it did or not.
            if isConnected { _ = natsConnection_FlushTimeout(self.pointer, timeout) }
            natsConnection_Close(self.pointer)
        }
        await state.untilClosed()
    }

    var closedError: NATSError {
        let reason = state.lastError
        return NATSError(
            reason?.code ?? .unavailable,
            "NATS: the connection to \(state.servers.shown) was given up: \(reason?.message ?? "no error")",
            cause: reason
        )
    }
}

/// What the library has to say of the last failure on this thread.
func lastDetail(_ servers: Servers) -> String {
    var status = NATS_OK
    guard let text = nats_GetLastError(&status) else { return "" }
    return servers.secrets.redact(String(cString: text))
}
