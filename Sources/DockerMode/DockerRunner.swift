public import HTTP
public import Logging
public import Model
public import Runtime
import Util

/// Runs bots as containers of a Docker engine, or of one that speaks its API, such as Podman's.
///
/// It keeps no truth of its own. Each bot's container has a name that follows from instance, kind and id, and the engine
/// refuses a second one of that name. Code is sent over the API, so the engine may be on another machine.
public final class DockerRunner: Runner {
    let engine: Engine
    let code: any CodeProvider
    let settings: DockerSettings
    let logger: Logger
    let names: ObjectNames
    let observation: Observation
    let images: ImageStore
    let prepared: PreparedImages
    let codeImages: CodeImages
    let networks: Networks
    let place: ContainerPlace
    let removal: Removal
    let finalReading: FinalReading
    let followed: Engine

    /// A runner on an engine. Nothing is asked of the engine yet.
    ///
    /// - Parameters:
    ///   - connection: where the engine answers.
    ///   - instance: tells this runner's bots from those of others on the same engine.
    ///   - code: brings the bots' code to this machine.
    ///   - settings: what an operator can choose.
    ///   - client: carries the requests.
    ///   - followingClient: carries the logs that are followed. A thread of its own keeps bots that shout from slowing down
    ///     everything else. Each follow holds a connection, however many there are: the client's own bound is only for readings
    ///     that end. So a process needs a descriptor per bot (`RLIMIT_NOFILE`).
    ///   - logger: told of pulls, preparations and troubles; never of a bot's environment.
    public init(
        connection: DockerConnection,
        instance: String = "default",
        code: any CodeProvider,
        settings: DockerSettings = DockerSettings(),
        client: HTTPClient = HTTPClient(maxConnections: 64),
        followingClient: HTTPClient = HTTPClient(maxConnections: 16),
        logger: Logger
    ) {
        let engine = Engine(connection: connection, client: client, logger: logger)
        let names = ObjectNames(instance: instance)
        self.engine = engine
        self.code = code
        self.settings = settings
        self.logger = logger
        self.names = names
        let finalReading = FinalReading(logger: logger)
        self.finalReading = finalReading
        followed = Engine(connection: connection, client: followingClient, logger: logger)
        place = ContainerPlace(engine: engine, finalReading: finalReading, logger: logger)
        removal = Removal(engine: engine, settings: settings, finalReading: finalReading, logger: logger)
        observation = Observation(
            engine: engine,
            instance: instance,
            inspections: AsyncSemaphore(permits: settings.inspectConcurrency),
            logger: logger
        )
        images = ImageStore(
            engine: engine,
            policy: settings.pullPolicy,
            pulls: SingleFlight(),
            logger: logger,
            logins: RegistryLogins(folder: settings.registryLogins)
        )
        prepared = PreparedImages(
            engine: engine,
            instance: instance,
            flights: SingleFlight(),
            known: KnownImages(),
            logger: logger
        )
        codeImages = CodeImages(engine: engine, instance: instance, logger: logger)
        networks = Networks(engine: engine, names: names, flights: SingleFlight(), logger: logger)
    }

    /// Asks whether the engine answers, in a version that is spoken here.
    public func ping() async throws(RunnerError) {
        do throws(DockerError) {
            try await engine.ping()
            _ = try await engine.version()
        } catch {
            throw error.runnerError(.unavailable, "asking the engine at \(engine.connection)")
        }
    }

    /// The containers of a kind, ended ones too.
    public func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try await observation.runs(of: kind, id: nil)
    }

    /// The containers of one bot, ended ones too.
    public func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await observation.runs(of: kind, id: id)
    }
}
