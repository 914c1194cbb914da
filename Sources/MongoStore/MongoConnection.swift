import CMongo
public import Control
public import Logging
import Synchronization
import Util

/// A pool of connections to one MongoDB deployment. It connects with the first call, and heals by itself.
///
/// Calls run on threads of the connection's own, each bounded by the timeouts of the URI.
///
/// Safety: `mongoc_client_pool_t` may be used from any thread, a client only by the call that has taken it; everything
/// mutable is behind a mutex.
public final class MongoConnection: Sendable, CustomStringConvertible {
    /// The most calls at once, and so the default of `maxPoolSize`.
    static let threads = 4

    let uri: MongoURI
    let logger: Logger
    private let executor: BlockingExecutor
    private let state = Mutex(State.unopened)

    private enum State {
        case unopened
        case open(ClientPool)
        case closed
    }

    /// Prepares a connection; nothing is sent before the first call.
    ///
    /// Timeouts that the URI doesn't set are short, so that a server that is dead or hangs is noticed within seconds:
    /// `serverSelectionTimeoutMS` 3000, `connectTimeoutMS` 3000, `socketTimeoutMS` 10000, `heartbeatFrequencyMS` 5000.
    ///
    /// - Parameters:
    ///   - uri: `mongodb://…` or `mongodb+srv://…`, with TLS and credentials as the drivers of MongoDB understand them.
    ///   - logger: also told what the C library logs.
    /// - Throws: `StoreError` with code `refused` for a URI that is none; its message has no password.
    public init(uri: String, logger: Logger) throws(StoreError) {
        MongoLog.start(logger)
        self.uri = try MongoURI(uri)
        self.logger = logger
        executor = try .mongo("mongo", threads: Self.threads)
    }

    /// The hosts, without credentials.
    public var description: String { "mongodb://\(uri.hosts)" }

    /// Ends the connections; calls from now on fail. Calls under way keep theirs until they are done.
    ///
    /// Takes about half a second, as long as the monitor needs to end, and is done even by a task that was cancelled.
    public func close() async {
        await withTaskExecutorPreference(executor) { endPool() }
    }

    /// Blocks. The pool is released outside the lock: others need not wait for it to be told that it is closed.
    private func endPool() {
        let ended = state.withLock { state in
            defer { state = .closed }
            return state
        }
        withExtendedLifetime(ended) {}
    }

    /// Runs a call that blocks with a client of the pool.
    func call<Value: Sendable>(
        _ what: String,
        _ body: @escaping @Sendable (OpaquePointer) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await executor.abandonable(what) { () throws(StoreError) in
            let pool = try self.pool(what)
            guard let client = mongoc_client_pool_pop(pool.pointer) else {
                throw StoreError(.unavailable, "\(what) on \(self.uri.hosts): no connection became free in time")
            }
            defer { mongoc_client_pool_push(pool.pointer, client) }
            return try body(client)
        }
    }

    private func pool(_ what: String) throws(StoreError) -> ClientPool {
        // Opening looks up the name of a mongodb+srv URI: others wait for the one that does it.
        try state.withLock { state throws(StoreError) in
            switch state {
            case .open(let pool): return pool
            case .closed: throw StoreError(.refused, "\(what) on \(uri.hosts): the connection was closed")
            case .unopened:
                let pool = try ClientPool(uri, what: what)
                state = .open(pool)
                return pool
            }
        }
    }
}

/// Owns a pool of clients.
///
/// Safety: libmongoc's pool may be used from any thread.
private final class ClientPool: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ uri: MongoURI, what: String) throws(StoreError) {
        var error = bson_error_t()
        guard let pool = mongoc_client_pool_new_with_error(uri.pointer, &error) else {
            throw StoreError(error, what, uri)
        }
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        pointer = pool
    }

    deinit { mongoc_client_pool_destroy(pointer) }
}
