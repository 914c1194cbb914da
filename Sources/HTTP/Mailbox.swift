import CCurl
import Dispatch
import Glibc
import Synchronization

/// How everybody else talks to the loop's thread.
///
/// Safety: the wake-up descriptor is written under the lock that also guards its closing, so it is never
/// written after its number may belong to somebody else.
final class Mailbox: Sendable {
    enum Command: Sendable {
        case start(Exchange)
        case cancel(Exchange)
        case resume(Exchange)
    }

    private struct State {
        var commands: [Command] = []
        /// Close-on-exec eventfd; -1 once the loop has ended.
        var descriptor: Int32
        var isSignalled = false
        var isClosing = false
        var thread: pthread_t?
        var refusal: HTTPError?
    }
    private let state: Mutex<State>
    private let loopEnd = DispatchGroup()

    /// Throws `.other` when the process is out of descriptors.
    init() throws(HTTPError) {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw HTTPError(.other, "eventfd failed with errno \(errno)", isRetryable: true) }
        state = Mutex(State(descriptor: descriptor))
        loopEnd.enter()
    }

    deinit {
        state.withLock { state in
            if state.descriptor >= 0 { _ = Glibc.close(state.descriptor) }
        }
    }

    /// Asks the loop to do something; false when it has ended or is about to.
    @discardableResult
    func post(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.isClosing else { return false }
            state.commands.append(command)
            signal(&state)
            return true
        }
    }

    /// Why nothing can be started any more, where it isn't a shutdown.
    var refusal: HTTPError? { state.withLock { $0.refusal } }

    /// Asks the loop to end.
    func close() {
        state.withLock { state in
            guard !state.isClosing else { return }
            state.isClosing = true
            signal(&state)
        }
    }

    /// Returns when the loop has ended and all its descriptors are closed. On the loop's own thread (which may
    /// release the last reference to a client, say in a request body's source) it returns at once.
    func waitForEnd() {
        let isLoopThread = state.withLock { state in
            state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false
        }
        if !isLoopThread { loopEnd.wait() }
    }

    private func signal(_ state: inout State) {
        guard !state.isSignalled, state.descriptor >= 0 else { return }
        state.isSignalled = true
        _ = eventfd_write(state.descriptor, 1)
    }

    // MARK: The loop's side

    func loopStarted() {
        state.withLock { $0.thread = pthread_self() }
    }

    var descriptor: Int32 { state.withLock { $0.descriptor } }

    /// What was asked since the last time, and whether the loop has to end.
    func drain() -> (commands: [Command], isClosing: Bool) {
        state.withLock { state in
            if state.isSignalled {
                var count: eventfd_t = 0
                _ = eventfd_read(state.descriptor, &count)
                state.isSignalled = false
            }
            let commands = state.commands
            state.commands = []
            return (commands, state.isClosing)
        }
    }

    /// There will be no loop: whatever was or will be asked to start fails with `error`.
    func refuse(_ error: HTTPError) {
        let commands = state.withLock { state in
            state.isClosing = true
            state.refusal = error
            defer { state.commands = [] }
            return state.commands
        }
        for case .start(let exchange) in commands { exchange.finish(.failure(error)) }
    }

    func loopEnded() {
        state.withLock { state in
            state.isClosing = true
            if state.descriptor >= 0 { _ = Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
        loopEnd.leave()
    }
}
