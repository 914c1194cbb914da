public import Logging
public import Model
public import Runtime
import Synchronization
import Util

/// Runs slots of schedules as Jobs of a Kubernetes cluster: for a `Scheduler`, where no CronJob says what a schedule means.
///
/// A slot's Job has a name that follows from schedule and slot, and the API server refuses a second one of that name until the
/// first is removed. What runs is known from a watch, which ``run()`` keeps up; of one schedule it is asked for each time.
public final class SlotJobRunner: CompletionRunner, RunPreparing, RunWatching, Sendable {
    let cluster: ScheduleCluster
    let cache: WatchCache<Job>
    private let instance: String
    /// How Jobs have ended, by uid: it doesn't change any more.
    private let ends = Mutex<[String: Exit]>([:])

    /// A runner on a cluster. Nothing is asked of it yet.
    /// - Parameters:
    ///   - client: carries requests and watches.
    ///   - namespace: where Jobs are made.
    ///   - instance: tells this runner's Jobs from those of others in the same namespace.
    ///   - server: what the cluster's CronJobs can do, by which Jobs are named.
    ///   - links: makes links to the bots' code.
    ///   - settings: what an operator can choose.
    ///   - logger: told of what fails; never of a bot's parameters or of a link.
    public convenience init(
        client: K8sClient,
        namespace: String,
        instance: String = "default",
        server: CronJobServer,
        links: any CodeLinking,
        settings: K8sSettings,
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
            instance: instance
        )
    }

    init(_ cluster: ScheduleCluster, instance: String, watching: WatchSettings = WatchSettings()) {
        self.cluster = cluster
        self.instance = instance
        let own = cluster.ownership.selection(of: .scheduled).labels
        cache = WatchCache(
            cluster.jobs,
            // Jobs that CronJobs made have no slot among their labels.
            selection: Selection(labels: "\(own),\(K8sLabel.slot)"),
            settings: watching,
            logger: cluster.logger,
            keep: { $0.reduced }
        )
    }

    /// Keeps up what is known of the cluster, until cancelled.
    public func run() async { await cache.run() }

    /// Whether everything was read once.
    public var isSynced: Bool { cache.isSynced }

    /// `kubernetes/`, what tells the namespace from every other one, and the instance.
    public func platform() async throws(RunnerError) -> String {
        let path = K8sCall.path(["api", "v1", "namespaces", cluster.namespace])
        let resource = APIResource(plural: "namespaces", kind: "Namespace")
        let right = K8sCall.Right(verb: "get", resource: resource, namespace: cluster.namespace)
        do throws(K8sError) {
            let answer = try await cluster.client.send(K8sCall(path: path, right: right))
            guard let uid = answer.object?[["metadata", "uid"]]?.string, !uid.isEmpty else {
                throw K8sError(.badAnswer, "API server, GET \(path): the answer has no uid")
            }
            return "kubernetes/\(uid)/\(instance)"
        } catch {
            throw error.runnerError(.unavailable, "asking for the namespace \(cluster.namespace)")
        }
    }

    /// The Jobs of all slots, ended ones too.
    public func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        guard kind == .scheduled else { return [] }
        guard cache.isSynced else { throw RunnerError(.unavailable, "the cluster's Jobs haven't all been read yet") }
        let jobs = cache.objects
        let uids = Set(jobs.map(\.uid))
        ends.withLock { ends in ends = ends.filter { uids.contains($0.key) } }
        return try await runs(jobs)
    }

    /// The Jobs of one schedule's slots, ended ones too.
    public func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        guard kind == .scheduled else { return [] }
        var selection = cluster.selection(id)
        selection.labels += ",\(K8sLabel.slot)"
        let jobs: [Job]
        do throws(K8sError) { jobs = try await cluster.jobs.list(selection, keep: { $0.reduced }).items } catch {
            throw error.runnerError(.unavailable, "reading a schedule's Jobs")
        }
        return try await runs(jobs).filter { $0.id == id }
    }

    private func runs(_ jobs: [Job]) async throws(RunnerError) -> [ObservedRun] {
        var runs: [ObservedRun] = []
        for job in jobs {
            guard let slot = job.labels[K8sLabel.slot].flatMap({ Slot($0) }),
                var run = JobReading.run(job, pods: nil, slot: slot, ownership: cluster.ownership)
            else { continue }
            if run.exit != nil {
                let exit = try await exit(of: job)
                run.phase = exit.map { .exited($0) } ?? .running(since: job.started ?? job.creationTime)
            }
            runs.append(run)
        }
        return runs
    }

    /// Nil while its Pod is still being ended.
    private func exit(of job: Job) async throws(RunnerError) -> Exit? {
        if let known = ends.withLock({ $0[job.uid] }) { return known }
        let pods: [Pod]
        do throws(K8sError) { pods = try await cluster.pods(of: job) } catch {
            throw error.runnerError(.unavailable, "reading the Pods of Job \(job.name)")
        }
        guard JobReading.isOver(job, pods: pods, patience: cluster.endPatience, now: .now) else { return nil }
        let exit = JobReading.exit(job, pods: pods)
        ends.withLock { $0[job.uid] = exit }
        return exit
    }

    /// Makes sure that everything a start needs can be had.
    public func prepare(_ spec: LaunchSpec) async throws(RunnerError) { _ = try await cluster.ingredients(spec) }

    /// Calls for a look whenever a Job has changed, until cancelled.
    public func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async {
        guard kind == .scheduled else { return }
        wake(nil)
        for await change in cache.changes() {
            let job = change.current ?? change.previous
            if let id = job?.annotations[K8sAnnotation.id] { wake(BotID(id)) }
        }
    }
}

extension Job {
    /// What of a Job is kept in memory: all there is to tell, and nothing of its Pods' spec.
    var reduced: Job {
        var reduced = withoutManagedFields
        reduced.json["spec"] = nil
        return reduced
    }
}
