import Synchronization

/// What has changed of one object since its last notification.
public struct ObjectChange<Object: K8sObject>: Sendable {
    /// Which object.
    public let key: ObjectKey
    /// What it was when the last notification was taken; nil: it wasn't there.
    public let previous: Object?
    /// What it is now; nil: it is gone.
    public let current: Object?
}

/// The changes of a cache's objects, for one consumer; of an object that changes while nobody takes its notification only the
/// last state is told, so that no more is ever held than there are objects.
public struct ObjectChanges<Object: K8sObject>: AsyncSequence, Sendable {
    /// One object's change.
    public typealias Element = ObjectChange<Object>
    /// It ends only with its task.
    public typealias Failure = Never
    let feed: ChangeFeed<Object>
    let owner: CacheStore<Object>

    /// Takes notifications.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let feed: ChangeFeed<Object>
        let owner: CacheStore<Object>

        /// The next change; nil once the task is cancelled or the cache has ended.
        public mutating func next() async -> ObjectChange<Object>? {
            while await feed.wait() {
                if let change = owner.take(from: feed) { return change }
            }
            return nil
        }

        /// The next change; nil once the task is cancelled or the cache has ended.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ObjectChange<Object>? {
            while await feed.wait() {
                if let change = owner.take(from: feed) { return change }
            }
            return nil
        }
    }

    /// An iterator; only one may be in use.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(feed: feed, owner: owner) }
}

/// The keys whose notification is due to one consumer.
final class ChangeFeed<Object: K8sObject>: Sendable {
    private struct State {
        /// In order; may hold keys that were taken already.
        var order: [ObjectKey] = []
        var taken = 0
        /// What each object was before its first change that wasn't told.
        var previous: [ObjectKey: Object?] = [:]
        var waiter: CheckedContinuation<Bool, Never>?
        var hasEnded = false
    }
    private let state = Mutex(State())

    func note(_ key: ObjectKey, previous: Object?) {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.previous[key] == nil else { return nil }
            state.previous[key] = .some(previous)
            state.order.append(key)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: true)
    }

    func end() {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.hasEnded = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: false)
    }

    /// The first key that is due, with what its object was.
    func pop() -> (key: ObjectKey, previous: Object?)? {
        state.withLock { state in
            while state.taken < state.order.count {
                let key = state.order[state.taken]
                state.taken += 1
                if state.taken > 1024, state.taken * 2 > state.order.count {
                    state.order.removeFirst(state.taken)
                    state.taken = 0
                }
                if let previous = state.previous.removeValue(forKey: key) { return (key, previous) }
            }
            return nil
        }
    }

    /// Returns once something is due; false when nothing ever will be.
    func wait() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if !state.previous.isEmpty { return true }
                    // A second consumer would wait for ever: it gets the end.
                    if state.hasEnded || state.waiter != nil { return false }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: false)
        }
    }
}
