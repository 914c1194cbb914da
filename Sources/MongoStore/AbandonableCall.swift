import Control
import Synchronization
import Util

extension BlockingExecutor {
    /// Threads for calls of the C library.
    static func mongo(_ name: String, threads: Int) throws(StoreError) -> BlockingExecutor {
        do { return try BlockingExecutor(name: name, threads: threads) } catch {
            throw StoreError(.unavailable, "MongoDB: \(error)", cause: error)
        }
    }

    /// Runs a call that blocks, on one of this executor's threads. A caller that is cancelled leaves at once; the call
    /// then runs on to its own deadline and its result is dropped.
    func abandonable<Value: Sendable>(
        _ what: String,
        _ call: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let handover = Handover<Value>()
        let cancelled = StoreError(.cancelled, "\(what): cancelled")
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard handover.wait(continuation) else { return }
                // Not a child task: those can't be left behind. It ends with the library's deadlines.
                Task(executorPreference: self) {
                    guard handover.isAwaited else { return }
                    handover.settle(Result { () throws(StoreError) in try call() })
                }
            }
        } onCancel: {
            handover.settle(.failure(cancelled))
        }
        return try result.get()
    }
}

/// Where a call's result, or a cancellation that came first, meets the one who waits for it.
private final class Handover<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, StoreError>

    private enum State {
        case idle
        case waiting(CheckedContinuation<Outcome, Never>)
        case settled(Outcome)
        case over
    }

    private let state = Mutex(State.idle)

    /// Whether the result is still wanted.
    var isAwaited: Bool {
        state.withLock { state in
            if case .waiting = state { true } else { false }
        }
    }

    /// Takes the continuation; false when it was resumed at once, with an earlier cancellation.
    func wait(_ continuation: CheckedContinuation<Outcome, Never>) -> Bool {
        let earlier = state.withLock { state -> Outcome? in
            guard case .settled(let outcome) = state else {
                state = .waiting(continuation)
                return nil
            }
            state = .over
            return outcome
        }
        guard let earlier else { return true }
        continuation.resume(returning: earlier)
        return false
    }

    /// The first outcome counts; later ones are dropped.
    func settle(_ outcome: Outcome) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            switch state {
            case .idle:
                state = .settled(outcome)
                return nil
            case .waiting(let continuation):
                state = .over
                return continuation
            case .settled, .over: return nil
            }
        }
        continuation?.resume(returning: outcome)
    }
}
