public import Control
public import Logging
public import Model
public import Runtime
import Synchronization
public import Util

/// Keeps schedules as CronJobs of a Kubernetes cluster: its runs are the CronJobs, which the cluster goes by from then on.
///
/// A changed schedule changes its CronJob in place: to remove one would end what it has begun. One that is switched off or
/// deleted has its CronJob removed, and what that has begun goes on to its end.
public final class CronJobRunner: RunPreparing, RunUpdating, RunWatching, SchedulePlatform, Sendable {
    let cluster: ScheduleCluster
    let reading: CronJobReading
    let cache: WatchCache<CronJob>
    /// The Jobs that CronJobs have made.
    let jobs: WatchCache<Job>
    /// What the Secrets of schedules say about themselves.
    private let secrets: WatchCache<Secret>
    private let renewal: LinkRenewal
    /// From when on a CronJob has to do as its schedule says.
    private let since: Timestamp
    private let zones: TimeZoneDatabase
    /// When leftovers were last looked for.
    let tidied = Mutex<ContinuousClock.Instant?>(nil)

    /// A runner on a cluster. Nothing is asked of it yet.
    /// - Parameters:
    ///   - client: carries requests and watches.
    ///   - namespace: where CronJobs are made.
    ///   - instance: tells this runner's CronJobs from those of others in the same namespace. Those of other versions of the
    ///     controller are the instance `default`'s.
    ///   - server: what the cluster's CronJobs can do.
    ///   - links: makes links to the bots' code.
    ///   - settings: what an operator can choose.
    ///   - since: from when on a CronJob has to do as its schedule says.
    ///   - zones: where time zones are looked up.
    ///   - logger: told of what fails; never of a bot's parameters or of a link.
    public convenience init(
        client: K8sClient,
        namespace: String,
        instance: String = "default",
        server: CronJobServer,
        links: any CodeLinking,
        settings: K8sSettings,
        since: Timestamp = .now,
        zones: TimeZoneDatabase = .system,
        logger: Logger
    ) {
        self.init(
            ScheduleCluster(
                client: client,
                namespace: namespace,
                ownership: Ownership(instance: instance),
                server: server,
                links: links,
                settings: settings,
                logger: logger
            ),
            since: since,
            zones: zones
        )
    }

    init(
        _ cluster: ScheduleCluster,
        since: Timestamp = .now,
        zones: TimeZoneDatabase = .system,
        watching: WatchSettings = WatchSettings()
    ) {
        self.cluster = cluster
        self.since = since
        self.zones = zones
        reading = CronJobReading(ownership: cluster.ownership)
        // All of the namespace: those of other versions have other labels.
        cache = WatchCache(
            cluster.cronJobs,
            settings: watching,
            logger: cluster.logger,
            keep: { CronJobReading.reduced($0) }
        )
        // Jobs of slots are the scheduler's.
        jobs = WatchCache(
            cluster.jobs,
            selection: Selection(labels: "\(cluster.ownership.selection(of: .scheduled).labels),!\(K8sLabel.slot)"),
            settings: watching,
            logger: cluster.logger,
            keep: { $0.reduced }
        )
        secrets = WatchCache(
            cluster.secrets.metadataOnly,
            selection: cluster.ownership.selection(of: .scheduled),
            settings: watching,
            logger: cluster.logger
        )
        renewal = LinkRenewal(
            secrets: cluster.secrets,
            known: secrets,
            links: cluster.links,
            interval: .seconds(15),
            logger: cluster.logger
        )
    }

    /// Keeps up what is known of the cluster, and the links to code, which Pods need long after their CronJob was made; until
    /// cancelled. Where the cluster has no CronJobs there is nothing to do.
    public func run() async {
        guard cluster.server.resource != nil else { return }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.cache.run() }
            group.addTask { await self.jobs.run() }
            group.addTask { await self.secrets.run() }
            group.addTask { await self.renewal.run() }
        }
    }

    /// Whether everything was read once.
    public var isSynced: Bool { cluster.server.resource == nil || (cache.isSynced && jobs.isSynced) }

    /// The CronJobs of all schedules.
    public func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        guard kind == .scheduled, cluster.server.resource != nil else { return [] }
        guard cache.isSynced else {
            throw RunnerError(.unavailable, "the cluster's CronJobs haven't all been read yet")
        }
        return cache.objects.compactMap { reading.run($0) }
    }

    /// The CronJobs of one schedule: one, and those that other versions have left.
    public func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        var runs = try await runs(of: kind).filter { $0.id == id }
        guard kind == .scheduled, cluster.server.resource != nil else { return runs }
        // What was just made or removed here may not have come back yet.
        let name = cluster.names(id).cronJob
        runs.removeAll { (try? ObjectReference($0))?.name == name }
        if let standing = try await standing(name), let run = reading.run(standing), run.id == id { runs.append(run) }
        return runs
    }

    func standing(_ name: String) async throws(RunnerError) -> CronJob? {
        do throws(K8sError) { return try await cluster.cronJobs.get(name) } catch {
            throw error.runnerError(.unavailable, "reading CronJob \(name)")
        }
    }

    /// Calls for a look whenever a CronJob was made, changed or removed, until cancelled; not whenever it has begun a run.
    public func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async {
        guard kind == .scheduled, cluster.server.resource != nil else { return }
        wake(nil)
        for await change in cache.changes() {
            let (before, after) = (change.previous, change.current)
            let isSame =
                before != nil && after != nil && before?.uid == after?.uid && before?.labels == after?.labels
                && before?.annotations == after?.annotations && before?.isSuspended == after?.isSuspended
                && before?.deletion == after?.deletion
            if !isSame, let object = after ?? before, let owner = reading.owner(of: object) { wake(owner.id) }
        }
    }
}

extension CronJobRunner {
    func translate(_ schedule: BotSchedule) throws -> CronJobTranslation {
        try CronJobTranslation(try ScheduleRule(schedule, zones: zones), server: cluster.server, from: since)
    }

    /// What a schedule's CronJob says beside its program: times, policies, and what an operator has chosen for Pods, which takes
    /// effect without ending anything.
    public func terms(of rule: ScheduleRule) throws(PlatformLimit) -> JSONValue {
        let settings = cluster.settings
        return [
            "format": 1, "schedule": try CronJobTranslation(rule, server: cluster.server, from: since).json,
            "image": .string(settings.runtimeImage), "unpack": .array(settings.unpackCommand.map { .string($0) }),
            "account": .string(settings.serviceAccount),
            "pull_secrets": .array(settings.imagePullSecrets.map { .string($0) }),
            "nodes": JSONValue(strings: settings.nodeSelector),
            "code_size": .integer(settings.codeSize.roundedUp), "grace": .integer(Int64(settings.stopGraceSeconds)),
        ]
    }

    /// How many CronJobs are asked for one by one; of more the whole list is read.
    private static let mostSingle = 16

    /// Those of some schedules that have a CronJob, whatever its state, as of this moment.
    public func kept(_ ids: [BotID]) async throws(RunnerError) -> Set<BotID> {
        guard cluster.server.resource != nil else { return [] }
        guard cache.isSynced else {
            throw RunnerError(.unavailable, "the cluster's CronJobs haven't all been read yet")
        }
        let wanted = Set(ids)
        // Nobody makes any more of other versions' ones.
        var kept = Set(cache.objects.compactMap { reading.owner(of: $0)?.id }).intersection(wanted)
        guard wanted.subtracting(kept).count > Self.mostSingle else {
            for id in wanted.subtracting(kept) {
                let name = cluster.names(id).cronJob
                if let standing = try await standing(name), reading.owner(of: standing)?.id == id { kept.insert(id) }
            }
            return kept
        }
        do throws(K8sError) {
            let own = cluster.ownership.selection(of: .scheduled)
            let all = try await cluster.cronJobs.list(own, keep: { CronJobReading.reduced($0) }).items
            return kept.union(Set(all.compactMap { reading.owner(of: $0)?.id }).intersection(wanted))
        } catch {
            throw error.runnerError(.unavailable, "reading the CronJobs")
        }
    }
}
