import Runtime
import Synchronization

/// Does a thing once for all that want it at the same time.
///
/// Whoever is cancelled stops waiting at once; the work itself is cancelled only when nobody waits for it any more.
final class SingleFlight<Value: Sendable>: Sendable {
    private typealias Outcome = Result<Value, RunnerError>

    private struct Flight {
        let number: UInt64
        let work: Task<Void, Never>
        var waiters: [UInt64: CheckedContinuation<Outcome, Never>]
    }

    private struct State {
        var flights: [String: Flight] = [:]
        var nextNumber: UInt64 = 0

        mutating func number() -> UInt64 {
            nextNumber += 1
            return nextNumber
        }
    }

    private let state = Mutex(State())

    /// The value for a key, made by `make` unless that is under way already.
    func value(
        for key: String,
        _ make: @escaping @Sendable () async throws(RunnerError) -> Value
    ) async throws(RunnerError) -> Value {
        let waiter = state.withLock { $0.number() }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A cancellation is either seen in here, under the lock, or its handler finds the waiter.
                let isWaiting = state.withLock { state in
                    guard !Task.isCancelled else { return false }
                    join(key, waiter, continuation, make, &state)
                    return true
                }
                if !isWaiting { continuation.resume(returning: Self.cancelled) }
            }
        } onCancel: {
            leave(key, waiter)
        }
        return try outcome.get()
    }

    /// How many wait; for tests.
    var waiting: Int { state.withLock { $0.flights.values.reduce(0) { $0 + $1.waiters.count } } }

    private static var cancelled: Outcome {
        .failure(RunnerError(.cancelled, "cancelled while waiting for the code"))
    }

    private func join(
        _ key: String,
        _ waiter: UInt64,
        _ continuation: CheckedContinuation<Outcome, Never>,
        _ make: @escaping @Sendable () async throws(RunnerError) -> Value,
        _ state: inout State
    ) {
        if state.flights[key] != nil {
            state.flights[key]?.waiters[waiter] = continuation
            return
        }
        let number = state.number()
        // Belongs to its waiters, none of whom may end it for the others: it ends with the last one that leaves.
        let work = Task { [self] in
            let outcome: Outcome
            do throws(RunnerError) { outcome = .success(try await make()) } catch { outcome = .failure(error) }
            land(key, number, outcome)
        }
        state.flights[key] = Flight(number: number, work: work, waiters: [waiter: continuation])
    }

    private func land(_ key: String, _ number: UInt64, _ outcome: Outcome) {
        let waiters = state.withLock { state -> [CheckedContinuation<Outcome, Never>] in
            // Another flight may have taken the place of this one, when all had left it.
            guard let flight = state.flights[key], flight.number == number else { return [] }
            state.flights[key] = nil
            return Array(flight.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    private func leave(_ key: String, _ waiter: UInt64) {
        let (continuation, abandoned) = state.withLock {
            state -> (CheckedContinuation<Outcome, Never>?, Task<Void, Never>?) in
            guard let continuation = state.flights[key]?.waiters.removeValue(forKey: waiter) else { return (nil, nil) }
            guard let flight = state.flights[key], flight.waiters.isEmpty else { return (continuation, nil) }
            // Whoever comes next begins anew instead of joining what is about to end.
            state.flights[key] = nil
            return (continuation, flight.work)
        }
        abandoned?.cancel()
        continuation?.resume(returning: Self.cancelled)
    }
}
