public import Logging
public import Model
public import Runtime
import Util

/// Runs live bots as Pods of a Kubernetes cluster.
///
/// It keeps no truth of its own. Each bot's Pod has a name that follows from its id, and the API server refuses a second one of
/// that name. What runs is known from a watch, which ``run()`` keeps up; until that has read everything once, nothing is said of
/// what runs. Restarting a bot whose program ends is the kubelet's job; a Pod that has ended as a whole, as an evicted one, is
/// replaced by whoever asks this runner to.
public final class K8sRunner: Runner {
    let client: K8sClient
    let settings: K8sSettings
    let links: any CodeLinking
    let ownership: Ownership
    let namespace: String
    let view: PodView
    let place: PodPlace
    let removal: PodRemoval
    let renewal: LinkRenewal
    let lost: LostPods
    let events: PodEvents
    let finalReading: FinalReading
    let followed: Resources<Pod>
    let logger: Logger

    /// A runner on a cluster. Nothing is asked of it yet.
    ///
    /// - Parameters:
    ///   - client: carries requests and watches.
    ///   - following: carries the logs that are followed. A client of its own keeps bots that shout from slowing down everything
    ///     else.
    ///   - namespace: where the bots' Pods are.
    ///   - instance: tells this runner's bots from those of others in the same namespace. One namespace has a bot of an id only
    ///     once, whatever the instances.
    ///   - links: makes links to the bots' code.
    ///   - settings: what an operator can choose.
    ///   - logger: told of what fails; never of a bot's parameters or of a link.
    public convenience init(
        client: K8sClient,
        following: K8sClient,
        namespace: String,
        instance: String = "default",
        links: any CodeLinking,
        settings: K8sSettings,
        logger: Logger
    ) {
        self.init(
            client: client,
            following: following,
            namespace: namespace,
            instance: instance,
            links: links,
            settings: settings,
            pace: K8sPace(),
            logger: logger
        )
    }

    init(
        client: K8sClient,
        following: K8sClient,
        namespace: String,
        instance: String,
        links: any CodeLinking,
        settings: K8sSettings,
        pace: K8sPace,
        logger: Logger
    ) {
        let ownership = Ownership(instance: instance)
        let view = PodView(
            client: client,
            namespace: namespace,
            ownership: ownership,
            pace: pace,
            logger: logger
        )
        let events = PodEvents(client: client, namespace: namespace, logger: logger)
        let finalReading = FinalReading(patience: settings.stopGrace + .seconds(15), logger: logger)
        let nodes = NodeStates(client: client)
        let removal = PodRemoval(
            view: view,
            nodes: nodes,
            finalReading: finalReading,
            events: events,
            grace: settings.stopGrace,
            pace: pace
        )
        self.client = client
        self.settings = settings
        self.links = links
        self.ownership = ownership
        self.namespace = namespace
        self.view = view
        self.events = events
        self.finalReading = finalReading
        self.removal = removal
        self.logger = logger
        place = PodPlace(
            view: view,
            secrets: client.resources(Secret.self, in: namespace),
            claims: client.resources(VolumeClaim.self, in: namespace),
            ownership: ownership,
            settings: settings,
            removal: removal,
            events: events,
            arrival: pace.arrival,
            logger: logger
        )
        renewal = LinkRenewal(
            secrets: client.resources(Secret.self, in: namespace),
            known: view.secrets,
            links: links,
            interval: pace.housekeeping,
            logger: logger
        )
        lost = LostPods(view: view, nodes: nodes, interval: pace.housekeeping, logger: logger)
        followed = following.resources(Pod.self, in: namespace)
    }

    /// Keeps up what is known of the cluster, renews the Pods' code links, and gives up Pods of machines that are gone; until
    /// cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.view.run() }
            group.addTask { await self.renewal.run() }
            group.addTask { await self.lost.run() }
            group.addTask { await self.events.run() }
        }
    }

    /// Whether everything was read once, so that it can be told what runs.
    public var isSynced: Bool { view.isSynced }

    /// Returns once everything was read.
    /// - Throws: `CancellationError` when the task is cancelled before.
    public func waitUntilSynced() async throws { try await view.waitUntilSynced() }

    /// Asks whether the API server answers, and whether Pods may be read.
    public func ping() async throws(RunnerError) {
        do throws(K8sError) { _ = try await view.pods.get(Self.nobody) } catch {
            throw error.runnerError(.unavailable, "asking the API server at \(client.connection.server)")
        }
    }

    /// No bot's Pod: names of bots have a prefix.
    private static let nobody = "the0-ping"

    /// The Pods of all bots, ended ones too.
    public func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        guard kind == .live else { return [] }
        return try view.runs(now: .now)
    }

    /// The Pods of one bot, ended ones too.
    public func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        guard kind == .live else { return [] }
        return try await view.runs(of: id, now: .now)
    }

    /// Has what a run wrote last read before its Pod is gone.
    ///
    /// The reader is called for every run that is removed or replaced, and waited for, at most the stop's grace and 15 s more;
    /// then it is cancelled, which is logged. Of a Pod that still runs it begins to read when the Pod is told to end, since what
    /// a Pod wrote is gone with it.
    public func readFinally(with reader: any FinalOutputReading) {
        finalReading.set(reader)
    }
}

/// How often things are looked at; other than the default in tests.
struct K8sPace: Sendable {
    var watching = WatchSettings()
    /// For how long changes may have been missed before what is known counts as unknown. A server that is being restarted is
    /// back before that; the watch itself notices a dead connection.
    var mostSilence: Duration = .seconds(60)
    /// How often Pods on lost nodes and links that run out are looked for.
    var housekeeping: Duration = .seconds(15)
    /// How long beyond its grace a Pod is waited for.
    var removalPatience: Duration = .seconds(30)
    /// After how long without news of a Pod that is to go the server is asked.
    var recheck: Duration = .seconds(2)
    /// How long what was made is waited for in what is watched.
    var arrival: Duration = .seconds(1)
}
