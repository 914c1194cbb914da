import Logging
import Model
import Runtime
import Util

/// The Pods of live bots as they are known here, from watches, never behind what this process has written itself.
final class PodView: Sendable {
    let pods: Resources<Pod>
    let reading: PodReading
    let cache: WatchCache<Pod>
    let secrets: WatchCache<Secret>
    let legacy: [(kind: LegacyPod, cache: WatchCache<Pod>)]
    let writes = RecentWrites()

    private let mostSilence: Duration

    init(client: K8sClient, namespace: String, ownership: Ownership, pace: K8sPace, logger: Logger) {
        let watching = pace.watching
        mostSilence = pace.mostSilence
        let pods = client.resources(Pod.self, in: namespace)
        self.pods = pods
        reading = PodReading(ownership: ownership)
        cache = WatchCache(
            pods,
            selection: ownership.selection(of: .live),
            settings: watching,
            logger: logger,
            keep: PodReading.reduced
        )
        // The values stay on the server: names and owners are all that is needed.
        secrets = WatchCache(
            client.resources(Secret.self, in: namespace).metadataOnly,
            selection: ownership.selection(of: .live),
            settings: watching,
            logger: logger
        )
        let isDefault = ownership.instance == Ownership.defaultInstance
        legacy = (isDefault ? LegacyLabel.prefixes : []).map { prefix in
            let kind = LegacyPod(prefix: prefix)
            let cache = WatchCache(
                pods,
                selection: kind.selection,
                settings: watching,
                logger: logger,
                keep: PodReading.reduced
            )
            return (kind, cache)
        }
    }

    private var podCaches: [WatchCache<Pod>] { [cache] + legacy.map(\.cache) }

    /// Whether everything was read once.
    var isSynced: Bool { secrets.isSynced && podCaches.allSatisfy(\.isSynced) }

    /// Watches until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.secrets.run() }
            for cache in podCaches { group.addTask { await cache.run() } }
        }
    }

    /// Returns once everything was read.
    /// - Throws: `CancellationError` when the task is cancelled before.
    func waitUntilSynced() async throws {
        try await secrets.waitUntilSynced()
        for cache in podCaches { try await cache.waitUntilSynced() }
    }

    /// What isn't known isn't empty.
    private func check() throws(RunnerError) {
        let silences = podCaches.map(\.silence) + [secrets.silence]
        guard silences.allSatisfy({ $0 != nil }) else {
            throw RunnerError(.unavailable, "listing Pods: the API server hasn't given a whole list yet")
        }
        let longest = silences.compactMap(\.self).max() ?? .zero
        guard longest <= mostSilence else {
            throw RunnerError(
                .unavailable,
                "listing Pods: the API server has told of no change for \(GoDuration.string(longest)), at most "
                    + "\(GoDuration.string(mostSilence)) are bridged"
            )
        }
    }

    /// The runs of all bots.
    func runs(now: Timestamp) throws(RunnerError) -> [ObservedRun] {
        try check()
        writes.prune(showing: Set(all.map(\.uid))) { cache.object($0)?.uid }
        let own = cache.objects.compactMap { writes.knowsGone($0.uid) ? nil : run($0, now: now) }
        return own + legacyRuns(now: now)
    }

    /// The runs of one bot.
    func runs(of id: BotID, now: Timestamp) async throws(RunnerError) -> [ObservedRun] {
        try check()
        let key = key(K8sNames.pod(id))
        var own = cache.object(key)
        if writes.isBehind(key, showing: own?.uid) || own.map({ writes.knowsGone($0.uid) }) == true {
            do throws(K8sError) { own = try await pods.get(key.name) } catch {
                throw error.runnerError(.unavailable, "reading Pod \(key.name)")
            }
            if own == nil { writes.hasNothing(under: key) }
        }
        let legacy = legacyRuns(now: now).filter { $0.id == id }
        return (own.map { [$0] } ?? []).compactMap { run($0, now: now) }.filter { $0.id == id } + legacy
    }

    private func legacyRuns(now: Timestamp) -> [ObservedRun] {
        legacy.flatMap { entry in
            entry.cache.objects.compactMap { writes.knowsGone($0.uid) ? nil : entry.kind.run($0, now: now) }
        }
    }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: pods.namespace ?? "", name: name) }

    /// All Pods that are known, of other versions too.
    var all: [Pod] { podCaches.flatMap(\.objects) }

    /// What tells of changes.
    var sources: [RunSource] {
        [RunSource(cache: cache) { [self] in run($0, now: $0.creationTime) }]
            + legacy.map { entry in RunSource(cache: entry.cache) { entry.kind.run($0, now: $0.creationTime) } }
    }

    /// A Pod, while changes are being listened to; nil when it isn't known, or nothing is.
    func known(_ pod: PodReference) -> Pod? {
        podCaches.lazy.compactMap { cache in
            guard cache.isConnected, let found = cache.object(self.key(pod.name)), found.uid == pod.uid else {
                return nil
            }
            return found
        }.first
    }

    /// Returns once a Pod isn't as it was, or the time is over.
    func wait(forChangeOf pod: Pod, within limit: Duration) async {
        let (uid, version) = (pod.uid, pod.resourceVersion)
        let holder = podCaches.first { $0.object(pod.key)?.uid == uid } ?? cache
        _ = await holder.wait(for: pod.key, within: limit) { $0?.uid != uid || $0?.resourceVersion != version }
    }

    /// Returns once a Pod isn't in the cache, or the time is over.
    /// - Returns: whether it isn't.
    func wait(untilGone pod: PodReference, within limit: Duration) async -> Bool {
        let key = key(pod.name)
        let holder = podCaches.first { $0.object(key)?.uid == pod.uid } ?? cache
        return await holder.wait(for: key, within: limit) { $0?.uid != pod.uid }
    }

    func run(_ pod: Pod, now: Timestamp) -> ObservedRun? {
        reading.run(pod, hasSecret: hasSecret(pod), now: now)
    }

    /// A Pod as a run, also one of another version.
    func anyRun(_ pod: Pod, now: Timestamp) -> ObservedRun? {
        run(pod, now: now) ?? legacy.lazy.compactMap { $0.kind.run(pod, now: now) }.first
    }

    /// Returns once the cache shows a Pod that was made, or the time is over.
    func wait(forArrivalOf pod: Pod, within limit: Duration) async {
        guard cache.isConnected else { return }
        let uid = pod.uid
        _ = await cache.wait(for: pod.key, within: limit) { $0?.uid == uid }
    }

    /// Whether there is the Secret that belongs to a Pod.
    private func hasSecret(_ pod: Pod) -> Bool {
        guard let name = pod.secretName else { return true }
        let secret = secrets.object(ObjectKey(namespace: pod.namespace, name: name))
        if secret?.owners.contains(where: { $0.uid == pod.uid }) == true {
            writes.sawSecret(of: pod.uid)
            return true
        }
        return writes.hasMadeSecret(of: pod.uid)
    }
}
