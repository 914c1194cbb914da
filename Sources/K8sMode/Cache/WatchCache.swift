public import Logging
import Synchronization
public import Util

/// The objects of a selection, held in memory and kept as the server has them: one list, then a watch.
///
/// What it holds may be behind by the time a change takes to come, and by more while the server can't be asked; it is never half
/// a list. Before ``isSynced`` nothing may be concluded from what isn't there.
public final class WatchCache<Object: K8sObject>: Sendable {
    private let resources: Resources<Object>
    private let selection: Selection
    private let keep: @Sendable (Object) -> Object
    private let settings: WatchSettings
    private let logger: Logger
    private let store = CacheStore<Object>()

    /// A cache that is empty until it is run.
    /// - Parameters:
    ///   - resources: the kind, and where.
    ///   - selection: which objects.
    ///   - settings: how the server is asked.
    ///   - logger: told of what can't be had.
    ///   - keep: what of each object is kept, which decides how much memory is needed; name, namespace, uid and
    ///     resourceVersion have to be.
    public init(
        _ resources: Resources<Object>,
        selection: Selection = Selection(),
        settings: WatchSettings = WatchSettings(),
        logger: Logger,
        keep: @escaping @Sendable (Object) -> Object = { $0.withoutManagedFields }
    ) {
        self.resources = resources
        self.selection = selection
        self.settings = settings
        self.logger = logger
        self.keep = keep
    }

    /// Whether a whole list was read since the start; what is held is real from then on.
    public var isSynced: Bool { store.isSynced }
    /// Whether changes are being listened to right now.
    public var isConnected: Bool { store.isConnected }
    /// For how long changes may have been missed: zero while they are being listened to; nil before the first list.
    public var silence: Duration? { store.silence }
    /// How many objects are held.
    public var count: Int { store.count }
    /// All objects, in no order.
    public var objects: [Object] { store.all }
    /// One object; nil where the cache has none of that name.
    public func object(_ key: ObjectKey) -> Object? { store.object(key) }

    /// The changes from now on, for one consumer; the objects that are there already come first.
    public func changes() -> ObjectChanges<Object> { ObjectChanges(feed: store.subscribe(), owner: store) }

    /// Returns once a whole list was read.
    /// - Throws: `CancellationError` when the task is cancelled before.
    public func waitUntilSynced() async throws {
        guard await store.waitUntilSynced() else { throw CancellationError() }
    }

    /// Returns once an object is as a condition says, as far as this cache knows.
    /// - Parameters:
    ///   - key: which object; nil is given to the condition where there is none.
    ///   - limit: how long to wait.
    ///   - condition: what it is to be; called under a lock, so it has to be quick.
    /// - Returns: false when the time is over, the task is cancelled or the cache has ended.
    public func wait(
        for key: ObjectKey,
        within limit: Duration,
        until condition: @escaping @Sendable (Object?) -> Bool
    ) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.store.wait(for: key, until: condition) }
            group.addTask {
                // Cancelled or not, the time is over.
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// Lists and watches until cancelled; then the consumers' sequences end.
    public func run() async {
        defer { store.end() }
        let seed = resources.resource.path(namespace: resources.namespace)
        var version: String?
        var attempt = 0
        while !Task.isCancelled {
            var wait = Duration.zero
            do {
                if version == nil {
                    let list = try await resources.list(selection, pageSize: settings.pageSize, keep: keep)
                    store.replace(list.items)
                    version = list.resourceVersion
                }
                let progress = WatchProgress(version: version ?? "")
                defer { version = progress.version }
                let began = ContinuousClock.now
                do { try await watch(progress) } catch {
                    store.setConnected(false)
                    if progress.events > 0 { attempt = 0 }
                    throw error
                }
                store.setConnected(false)
                // One that ends at once, again and again, is no watch.
                let isReal = progress.events > 0 || began.duration(to: .now) >= settings.shortest
                attempt = isReal ? 0 : attempt + 1
                if !isReal { wait = settings.backoff.delay(attempt: attempt, seed: seed) }
            } catch {
                guard !Task.isCancelled else { return }
                let refusal = error as? K8sError
                if refusal?.code == .expired {
                    // The history has moved on: what was missed can only be had by listing.
                    version = nil
                    attempt += 1
                    // The first time there is nothing to wait for.
                    if attempt > 1 { wait = settings.backoff.delay(attempt: attempt, seed: seed) }
                    logger.debug("watch is too far behind, listing again", metadata: ["of": "\(seed)"])
                } else {
                    attempt += 1
                    wait = max(refusal?.retryAfter ?? .zero, settings.backoff.delay(attempt: attempt, seed: seed))
                    logger.warning(
                        "objects can't be watched, trying again",
                        metadata: ["of": "\(seed)", "error": "\(error)", "wait": "\(wait)"]
                    )
                }
            }
            guard wait > .zero else { continue }
            do { try await Task.sleep(for: wait) } catch { return }
        }
    }

    /// One watch, to its end.
    private func watch(_ progress: WatchProgress) async throws {
        // Watches of several caches, and of several controllers, don't all end at the same time.
        let timeout = Int.random(in: settings.timeoutSeconds)
        let events = try await resources.watch(selection, from: progress.version, timeoutSeconds: timeout)
        store.setConnected(true)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.read(events, progress) }
            group.addTask { try await self.guardAgainstSilence(progress) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func read(_ events: WatchEvents<Object>, _ progress: WatchProgress) async throws(K8sError) {
        var iterator = events.makeAsyncIterator()
        while let event = try await iterator.next() {
            switch event {
            case .added(let object), .modified(let object):
                store.put(keep(object))
                progress.saw(object.resourceVersion)
            case .deleted(let object):
                store.remove(object)
                progress.saw(object.resourceVersion)
            case .bookmark(let version):
                progress.saw(version)
            }
        }
    }

    /// A connection that died without a word looks like one on which nothing happens, but servers send a bookmark each minute.
    private func guardAgainstSilence(_ progress: WatchProgress) async throws {
        var seen = -1
        while progress.events != seen {
            seen = progress.events
            try await Task.sleep(for: settings.longestSilence)
        }
        // The next watch goes on where this one was.
        throw K8sError(.timedOut, "API server: watch: nothing came for \(settings.longestSilence)")
    }
}

/// How a cache asks the server.
public struct WatchSettings: Sendable {
    /// How many objects a page of a list has.
    public var pageSize: Int
    /// After how long the server ends a watch; each takes a random one of these.
    public var timeoutSeconds: ClosedRange<Int>
    /// After how long without a word, bookmarks included, a watch is begun anew.
    public var longestSilence: Duration
    /// A watch that ends before this without an event counts as one that failed.
    public var shortest: Duration
    /// The waits after failures.
    public var backoff: Backoff

    /// As client-go has them, unless given otherwise.
    public init(
        pageSize: Int = 500,
        timeoutSeconds: ClosedRange<Int> = 300...600,
        longestSilence: Duration = .seconds(180),
        shortest: Duration = .seconds(1),
        backoff: Backoff? = nil
    ) {
        self.pageSize = pageSize
        self.timeoutSeconds = timeoutSeconds
        self.longestSilence = longestSilence
        self.shortest = shortest
        self.backoff = backoff ?? .apiServer
    }
}

/// How far a watch came.
private final class WatchProgress: Sendable {
    private let state: Mutex<(version: String, events: Int)>

    init(version: String) {
        state = Mutex((version, 0))
    }

    /// The moment up to which everything was told.
    var version: String { state.withLock { $0.version } }
    /// How many events came.
    var events: Int { state.withLock { $0.events } }

    func saw(_ version: String?) {
        state.withLock { state in
            state.events += 1
            if let version { state.version = version }
        }
    }
}
