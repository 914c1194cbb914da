import Logging
import Synchronization
import Util

/// What is known of a connection, written by the library's callbacks.
final class LinkState: Sendable {
    private struct State {
        var isConnected = false
        var isClosed = false
        /// How often a connection was made: whoever remembers it knows whether it was lost meanwhile.
        var epoch = 0
        var lastError: NATSError?
        var observers: [ObjectIdentifier: Inputs] = [:]
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let servers: Servers
    let logger: Logger
    private let state = Mutex(State())

    init(_ servers: Servers, _ logger: Logger) {
        self.servers = servers
        self.logger = logger
    }

    var isConnected: Bool { state.withLock { $0.isConnected } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    var lastError: NATSError? { state.withLock { $0.lastError } }
    /// The number of the present connection; nil while there is none.
    var epoch: Int? { state.withLock { $0.isConnected ? $0.epoch : nil } }

    func observe(_ inputs: Inputs) { state.withLock { $0.observers[ObjectIdentifier(inputs)] = inputs } }

    func stopObserving(_ inputs: Inputs) { state.withLock { $0.observers[ObjectIdentifier(inputs)] = nil } }

    /// A connection stands; the first may also be noticed by who asked for it.
    func connected(isFirst: Bool = false) {
        let epoch = change { state in
            guard !isFirst || state.epoch == 0 else { return }
            state.isConnected = true
            state.lastError = nil
            state.epoch += 1
        }
        logger.info("NATS connected", metadata: ["servers": "\(servers.shown)", "connection": "\(epoch)"])
    }

    func disconnected(_ error: NATSError?) {
        let wasConnected = isConnected
        change { state in
            state.isConnected = false
            // A server that ends in an orderly way leaves no error.
            state.lastError =
                error ?? state.lastError
                ?? NATSError(.unavailable, "NATS: the connection to \(servers.shown) was lost")
        }
        guard wasConnected, !isClosed else { return }
        logger.warning(
            "NATS connection lost, reconnecting",
            metadata: ["servers": "\(servers.shown)", "error": "\(error?.message ?? "none")"]
        )
    }

    func failed(_ error: NATSError) {
        change { $0.lastError = error }
        logger.warning("NATS error", metadata: ["servers": "\(servers.shown)", "error": "\(error)"])
    }

    func closed(_ error: NATSError?) {
        change { state in
            state.isConnected = false
            state.isClosed = true
            // The last word is only that no server is left; what was known before says why.
            state.lastError = state.lastError ?? error
        }
        let waiters = state.withLock { state in
            defer { state.closeWaiters = [] }
            return state.closeWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once the library has said that nothing will come any more.
    func untilClosed() async {
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.closeWaiters.append(continuation) }
                return state.isClosed
            }
            if isClosed { continuation.resume() }
        }
    }

    @discardableResult
    private func change(_ body: (inout State) -> Void) -> Int {
        let (epoch, observers) = state.withLock { state in
            body(&state)
            return (state.epoch, Array(state.observers.values))
        }
        for observer in observers { observer.signal(.connectionChanged) }
        return epoch
    }
}
