import Synchronization

/// Bounds how many tasks do something at once; those that wait get their turn in the order they came.
public final class AsyncSemaphore: Sendable {
    fileprivate struct Waiter {
        let id: UInt64
        /// Missing for the moment between taking a place in the line and suspending.
        var continuation: CheckedContinuation<Void, any Error>?
    }

    fileprivate struct State {
        var available: Int
        var nextID: UInt64 = 0
        /// In order of arrival; only filled while no permit is available.
        var waiters: [Waiter] = []
        /// What became of waiters that left the line before they had suspended.
        var settled: [UInt64: Result<Void, any Error>] = [:]
    }

    private let state: Mutex<State>

    /// A semaphore that lets so many tasks through at once; less than 1 counts as 1.
    public init(permits: Int) {
        state = Mutex(State(available: max(1, permits)))
    }

    /// Runs the operation while holding one of the permits.
    ///
    /// - Throws: the operation's error; `CancellationError` when the task is cancelled before it has a permit.
    public nonisolated(nonsending) func withPermit<Value>(
        _ operation: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await acquire()
        defer { release() }
        return try await operation()
    }

    private nonisolated(nonsending) func acquire() async throws {
        try Task.checkCancellation()
        guard let id = takePermitOrPlace() else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                suspend(id, continuation)
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Takes a permit and returns nil, or takes a place in the line and returns its number.
    private func takePermitOrPlace() -> UInt64? {
        state.withLock { state in
            if state.available > 0 {
                state.available -= 1
                return nil
            }
            state.nextID += 1
            state.waiters.append(Waiter(id: state.nextID))
            return state.nextID
        }
    }

    private func suspend(_ id: UInt64, _ continuation: CheckedContinuation<Void, any Error>) {
        let result = state.withLock { state in
            if let index = state.waiters.lastIndex(where: { $0.id == id }) {
                state.waiters[index].continuation = continuation
            }
            return state.settled.removeValue(forKey: id)
        }
        if let result { continuation.resume(with: result) }
    }

    /// How many permits are free; for tests.
    var available: Int { state.withLock { $0.available } }

    /// How many wait; for tests.
    var waiting: Int { state.withLock { $0.waiters.count } }

    private func cancel(_ id: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            // Not in the line: it has its permit, and gives it back as usual.
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.settle(state.waiters.remove(at: index), .failure(CancellationError()))
        }
        continuation?.resume(throwing: CancellationError())
    }

    private func release() {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiters.isEmpty else {
                state.available += 1
                return nil
            }
            return state.settle(state.waiters.removeFirst(), .success(()))
        }
        continuation?.resume()
    }
}

extension AsyncSemaphore.State {
    /// What to resume with the result, outside the lock; nil when the waiter will find the result by itself.
    fileprivate mutating func settle(
        _ waiter: AsyncSemaphore.Waiter,
        _ result: Result<Void, any Error>
    ) -> CheckedContinuation<Void, any Error>? {
        if waiter.continuation == nil { settled[waiter.id] = result }
        return waiter.continuation
    }
}
