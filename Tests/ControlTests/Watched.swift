import Synchronization

/// A value behind a lock whose changes can be waited for, so that no test sleeps.
final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var waiting: [(condition: @Sendable (Value) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>

    init(_ value: sending Value) { state = Mutex(State(value: value)) }

    func withLock<Result: Sendable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { state throws(Failure) in
            defer {
                let value = state.value
                for waiter in state.waiting where waiter.condition(value) { waiter.continuation.resume() }
                state.waiting.removeAll { $0.condition(value) }
            }
            return try body(&state.value)
        }
    }

    /// Returns once the condition holds.
    func until(_ condition: @escaping @Sendable (Value) -> Bool) async {
        await withCheckedContinuation { continuation in
            let holds = state.withLock { state in
                if condition(state.value) { return true }
                state.waiting.append((condition, continuation))
                return false
            }
            if holds { continuation.resume() }
        }
    }
}
