import HeapModule
import Model
import Synchronization

/// Bounds how many runs start at once; of those that wait the one with the earliest slot is next.
final class StartLine: Sendable {
    private struct Waiter: Comparable {
        let slot: Slot
        let number: UInt64

        static func < (left: Waiter, right: Waiter) -> Bool {
            left.slot == right.slot ? left.number < right.number : left.slot < right.slot
        }
    }

    private struct State {
        var free: Int
        var number: UInt64 = 0
        var line = Heap<Waiter>()
        /// Those that wait; one that isn't here has left the line.
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        /// Those that haven't begun to wait, with whether they left before.
        var coming: [UInt64: Bool] = [:]
    }

    private let state: Mutex<State>

    /// How many places are free.
    var free: Int { state.withLock { $0.free } }

    /// How many wait for a place.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// How many come and have neither begun to wait nor been turned away.
    var coming: Int { state.withLock { $0.coming.count } }

    init(places: Int) { state = Mutex(State(free: max(1, places))) }

    /// Does something when its turn has come.
    /// - Returns: nil when the task was cancelled before.
    func turn<Value: Sendable>(of slot: Slot, _ body: () async -> Value) async -> Value? {
        let number = state.withLock { state in
            state.number += 1
            state.coming[state.number] = false
            return state.number
        }
        let isFirst = await withTaskCancellationHandler {
            await withCheckedContinuation { wait($0, number, slot) }
        } onCancel: {
            leave(number)
        }
        guard isFirst else { return nil }
        defer { pass() }
        return await body()
    }

    private func wait(_ continuation: CheckedContinuation<Bool, Never>, _ number: UInt64, _ slot: Slot) {
        let answer: Bool? = state.withLock { state in
            if state.coming.removeValue(forKey: number) == true { return false }
            if state.free > 0 {
                state.free -= 1
                return true
            }
            state.waiting[number] = continuation
            state.line.insert(Waiter(slot: slot, number: number))
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func leave(_ number: UInt64) {
        let continuation = state.withLock { state in
            // Cancelled before it waits; one whose turn has come already isn't remembered.
            if state.coming[number] != nil { state.coming[number] = true }
            return state.waiting.removeValue(forKey: number)
        }
        continuation?.resume(returning: false)
    }

    private func pass() {
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            while let waiter = state.line.popMin() {
                if let continuation = state.waiting.removeValue(forKey: waiter.number) { return continuation }
            }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
