import Synchronization

/// The objects that a cache holds, and who is told of changes.
final class CacheStore<Object: K8sObject>: Sendable {
    private struct State {
        var objects: [ObjectKey: Object] = [:]
        var isSynced = false
        var isConnected = false
        /// When it was last known that no change was missed.
        var confirmed: ContinuousClock.Instant?
        var feeds: [WeakFeed] = []
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var hasEnded = false

        /// Those who wait for a change of one object.
        var observers: [ObjectKey: [UInt64: CheckedContinuation<Bool, Never>]] = [:]

        mutating func tell(_ key: ObjectKey, previous: Object?) {
            for feed in feeds { feed.feed?.note(key, previous: previous) }
            // Whoever is woken looks again, and has to take this lock for it.
            for observer in observers.removeValue(forKey: key)?.values ?? [:].values {
                observer.resume(returning: true)
            }
        }
    }
    private struct WeakFeed {
        weak var feed: ChangeFeed<Object>?
    }
    private let state = Mutex(State())

    var isSynced: Bool { state.withLock { $0.isSynced } }
    var isConnected: Bool { state.withLock { $0.isConnected } }
    var count: Int { state.withLock { $0.objects.count } }
    var all: [Object] { state.withLock { Array($0.objects.values) } }
    func object(_ key: ObjectKey) -> Object? { state.withLock { $0.objects[key] } }

    /// For how long changes may have been missed; nil before the first list.
    var silence: Duration? {
        state.withLock { state in
            guard let confirmed = state.confirmed else { return nil }
            return state.isConnected ? .zero : confirmed.duration(to: .now)
        }
    }

    func setConnected(_ isConnected: Bool) {
        state.withLock { state in
            if state.isConnected != isConnected { state.confirmed = .now }
            state.isConnected = isConnected
        }
    }

    /// Makes the objects those of a list; tells what that changes.
    func replace(_ items: [Object]) {
        var fresh = [ObjectKey: Object](minimumCapacity: items.count)
        for item in items { fresh[item.key] = item }
        let waiters = state.withLock { state in
            for (key, object) in fresh {
                let old = state.objects[key]
                guard old?.resourceVersion != object.resourceVersion || old?.uid != object.uid else { continue }
                state.tell(key, previous: old)
            }
            for (key, old) in state.objects where fresh[key] == nil { state.tell(key, previous: old) }
            state.objects = fresh
            state.isSynced = true
            state.confirmed = .now
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    func put(_ object: Object) {
        state.withLock { state in
            let key = object.key
            let old = state.objects[key]
            // A watch that begins anew tells some things twice.
            guard old?.resourceVersion != object.resourceVersion || old?.uid != object.uid else { return }
            state.objects[key] = object
            state.tell(key, previous: old)
        }
    }

    /// Returns once an object is as the condition says; false when the task is cancelled before.
    func wait(for key: ObjectKey, until condition: @Sendable (Object?) -> Bool) async -> Bool {
        while true {
            let id = state.withLock { state in
                state.nextWaiter += 1
                return state.nextWaiter
            }
            // nil: as it is there is nothing to wait for.
            let isMet = Mutex(false)
            let goesOn = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let answer = state.withLock { state -> Bool? in
                        if condition(state.objects[key]) {
                            isMet.withLock { $0 = true }
                            return true
                        }
                        if Task.isCancelled || state.hasEnded { return false }
                        state.observers[key, default: [:]][id] = continuation
                        return nil
                    }
                    if let answer { continuation.resume(returning: answer) }
                }
            } onCancel: {
                state.withLock { state in
                    defer { if state.observers[key]?.isEmpty == true { state.observers[key] = nil } }
                    return state.observers[key]?.removeValue(forKey: id)
                }?.resume(returning: false)
            }
            guard goesOn else { return false }
            if isMet.withLock({ $0 }) { return true }
        }
    }

    func remove(_ object: Object) {
        state.withLock { state in
            guard let old = state.objects.removeValue(forKey: object.key) else { return }
            state.tell(object.key, previous: old)
        }
    }

    /// A new consumer's feed; what is there already counts as changed.
    func subscribe() -> ChangeFeed<Object> {
        let feed = ChangeFeed<Object>()
        state.withLock { state in
            state.feeds.removeAll { $0.feed == nil }
            state.feeds.append(WeakFeed(feed: feed))
            for key in state.objects.keys { feed.note(key, previous: nil) }
        }
        return feed
    }

    /// The first change that is due to a feed; nil where there is none.
    func take(from feed: ChangeFeed<Object>) -> ObjectChange<Object>? {
        state.withLock { state in
            // Under the same lock as changes, so that none falls between key and object.
            while let (key, previous) = feed.pop() {
                let current = state.objects[key]
                // What came and went is nothing.
                guard current != nil || previous != nil else { continue }
                return ObjectChange(key: key, previous: previous, current: current)
            }
            return nil
        }
    }

    /// Returns once a whole list was read; false when the task is cancelled before.
    func waitUntilSynced() async -> Bool {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.isSynced { return true }
                    if Task.isCancelled { return false }
                    state.waiters[id] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
        }
    }

    func end() {
        state.withLock { state in
            if state.isConnected { state.confirmed = .now }
            state.isConnected = false
            state.hasEnded = true
            for feed in state.feeds { feed.feed?.end() }
            state.feeds = []
            for observer in state.observers.values.flatMap(\.values) { observer.resume(returning: false) }
            state.observers = [:]
        }
    }
}
