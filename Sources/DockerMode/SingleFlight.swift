import Runtime
import Synchronization

/// Does a thing once however many ask for it at the same time, by a key that says what it is.
///
/// The first to ask does it, in its own task; the others wait. When that task is cancelled, one of the others begins anew:
/// nobody's cancellation fails anybody else, and no work goes on that nobody wants.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    fileprivate enum Turn {
        case lead
        case result(Result<Value, RunnerError>)
    }
    fileprivate struct Waiter {
        let id: UInt64
        var continuation: CheckedContinuation<Turn, Never>?
    }
    fileprivate struct State {
        var nextID: UInt64 = 0
        /// A key is there while somebody does the work; in order of arrival.
        var waiters: [Key: [Waiter]] = [:]
        /// What became of waiters before they had suspended.
        var early: [UInt64: Turn] = [:]
    }
    private let state = Mutex(State())

    /// Does the work, or waits for whoever does it.
    func run(
        _ key: Key,
        _ work: @Sendable () async throws(RunnerError) -> Value
    ) async throws(RunnerError) -> Value {
        if let id = takePlace(key) {
            switch await wait(key, id) {
            case .result(let result): return try result.get()
            case .lead: break
            }
        }
        let result: Result<Value, RunnerError>
        do throws(RunnerError) { result = .success(try await work()) } catch { result = .failure(error) }
        finish(key, result)
        return try result.get()
    }

    /// How many wait for a key; for tests.
    func waiting(_ key: Key) -> Int { state.withLock { $0.waiters[key]?.count ?? 0 } }

    /// A place in the line, or nil for the one who does the work.
    private func takePlace(_ key: Key) -> UInt64? {
        state.withLock { state in
            guard state.waiters[key] != nil else {
                state.waiters[key] = []
                return nil
            }
            state.nextID += 1
            state.waiters[key]?.append(Waiter(id: state.nextID))
            return state.nextID
        }
    }

    private func wait(_ key: Key, _ id: UInt64) async -> Turn {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn: Turn? = state.withLock { state in
                    if let turn = state.early.removeValue(forKey: id) { return turn }
                    if let index = state.waiters[key]?.firstIndex(where: { $0.id == id }) {
                        state.waiters[key]?[index].continuation = continuation
                    }
                    return nil
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            let turn = Turn.result(.failure(RunnerError(.cancelled, "cancelled while waiting for the same work")))
            let continuation: CheckedContinuation<Turn, Never>? = state.withLock { state in
                // Not in the line any more: it has its turn already, and takes it.
                guard let index = state.waiters[key]?.firstIndex(where: { $0.id == id }),
                    let waiter = state.waiters[key]?.remove(at: index)
                else { return nil }
                return state.settle(waiter, turn)
            }
            continuation?.resume(returning: turn)
        }
    }

    private func finish(_ key: Key, _ result: Result<Value, RunnerError>) {
        var isCancelled = false
        if case .failure(let error) = result, error.code == .cancelled { isCancelled = true }
        let resumptions = state.withLock { state -> [(CheckedContinuation<Turn, Never>, Turn)] in
            var line = state.waiters.removeValue(forKey: key) ?? []
            if isCancelled {
                guard !line.isEmpty else { return [] }
                let next = line.removeFirst()
                state.waiters[key] = line
                return state.settle(next, .lead).map { [($0, .lead)] } ?? []
            }
            return line.compactMap { waiter in state.settle(waiter, .result(result)).map { ($0, .result(result)) } }
        }
        for (continuation, turn) in resumptions { continuation.resume(returning: turn) }
    }
}

extension SingleFlight.State {
    /// Whom to resume, outside the lock; nil when the waiter will find its turn by itself.
    fileprivate mutating func settle(
        _ waiter: SingleFlight.Waiter,
        _ turn: SingleFlight.Turn
    ) -> CheckedContinuation<SingleFlight.Turn, Never>? {
        if waiter.continuation == nil { early[waiter.id] = turn }
        return waiter.continuation
    }
}
