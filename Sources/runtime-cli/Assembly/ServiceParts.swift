import Archive
import CodeCache
import DockerMode
import Foundation
import HTTP
import LocalMode
import Logging
import Model
import Monitoring
import NATSBus
import ObjectStorage
import Runtime
import Util

/// What bot-runner and bot-scheduler have in common: where bots run, where their code and output lie, and who is told.
/// Nothing is asked of any service yet.
struct ServiceParts: Sendable {
    /// Which service they are for.
    enum Role: String, Sendable {
        case runner = "bot-runner"
        case scheduler = "bot-scheduler"

        /// What it runs.
        var kind: ExecutableKind { self == .runner ? .live : .scheduled }
    }

    let role: Role
    let settings: RunnerSettings
    let logger: Logger
    let executor: BlockingExecutor
    let backend: Backend
    /// The message bus, where one is set.
    let bus: NATSConnection?
    /// Where the bots' output is stored.
    let logStorage: (any ObjectAppending)?
    /// Where what scheduled runs leave is stored; nil for live bots.
    let results: ObjectResults?
    let health: HealthState
    let probes: [DependencyProbe]
    let registry: PrometheusRegistry

    /// What readiness waits for beside everything that is depended on.
    static let firstPass = "first full pass"

    /// - Parameter store: whether the store answers.
    /// - Throws: what is wrong with the settings.
    init(_ role: Role, _ settings: RunnerSettings, store: DependencyProbe, logger: Logger) async throws {
        var settings = settings
        settings.docker.keptKinds = [role.kind]
        settings.local.keptKinds = [role.kind]
        self.role = role
        self.settings = settings
        self.logger = logger
        executor = try BlockingExecutor(name: "files", threads: 4)
        registry = MetricsSetup.registry
        let objects = ServiceParts.objects(settings, executor: executor)
        let code = try await ServiceParts.code(settings, objects: objects, executor: executor)
        backend = try await Backend.open(settings, code: code, executor: executor, logger: logger)
        logStorage = ServiceParts.logStorage(settings, executor: executor)
        results = role == .scheduler ? ObjectResults.open(settings, executor: executor) : nil
        bus = try ServiceParts.bus(role, settings, logger: logger)
        probes = ServiceParts.probes(store: store, backend: backend, bus: bus, objects: objects, results: results)
        health = HealthState(
            dependencies: probes.map(\.name),
            conditions: [ServiceParts.firstPass],
            secrets: settings.secretValues
        )
    }

    private static func bus(
        _ role: Role,
        _ settings: RunnerSettings,
        logger: Logger
    ) throws(SettingError) -> NATSConnection? {
        guard let url = settings.natsURL else { return nil }
        do throws(NATSError) {
            return try NATSConnection(
                NATSConnectionOptions(url: url, name: "\(role.rawValue) \(settings.instance)"),
                logger: logger
            )
        } catch {
            throw SettingError(settings.natsSource, error.message)
        }
    }

    private static func objects(
        _ settings: RunnerSettings,
        executor: BlockingExecutor
    ) -> (any ObjectStorage)? {
        if let folder = settings.objectFolder {
            return DirectoryObjectStorage(root: "\(folder)/\(settings.codeBucket)", executor: executor)
        }
        return settings.objects.map { S3ObjectStorage($0, client: HTTPClient(maxConnections: 16), executor: executor) }
    }

    private static func logStorage(_ settings: RunnerSettings, executor: BlockingExecutor) -> (any ObjectAppending)? {
        if let folder = settings.objectFolder {
            return DirectoryObjectStorage(root: "\(folder)/\(settings.logs.bucket)", executor: executor)
        }
        // Connections of its own: logs that are stored don't hold up code that is fetched.
        return settings.logs.objects.map {
            S3ObjectStorage($0, client: HTTPClient(maxConnections: 8), executor: executor)
        }
    }

    /// What tells the place of code archives from others, to the code cache that may hold those of several.
    private static func objectsName(_ settings: RunnerSettings) -> String {
        if let folder = settings.objectFolder {
            // Two runners in different working directories may name different folders by one relative path.
            let path = URL(fileURLWithPath: folder).standardizedFileURL.path
            return "\(settings.codeBucket) in \(path)"
        }
        return settings.objects.map { "\($0.bucket) at \($0.endpoint)" } ?? ""
    }

    private static func code(
        _ settings: RunnerSettings,
        objects: (any ObjectStorage)?,
        executor: BlockingExecutor
    ) async throws(SettingError) -> CodeCache {
        let user = settings.builder.sandbox.user
        do throws(RunnerError) {
            return try await CodeCache.open(
                // A folder of our own in it: TEMP_DIR may be /tmp.
                directory: "\(settings.cacheDirectory)/the0-code",
                storage: objects,
                storageName: objectsName(settings),
                options: CodeCacheOptions(
                    owner: FileOwnership(uid: user.user, gid: user.group),
                    capacity: settings.cacheSize
                ),
                executor: executor
            )
        } catch {
            throw SettingError(settings.cacheSource, error.message)
        }
    }

    private static func probes(
        store: DependencyProbe,
        backend: Backend,
        bus: NATSConnection?,
        objects: (any ObjectStorage)?,
        results: ObjectResults?
    ) -> [DependencyProbe] {
        var probes = [store, DependencyProbe(name: backend.name) { try await backend.ping() }]
        if let bus {
            probes.append(
                DependencyProbe(name: "nats") {
                    guard bus.isConnected else {
                        throw ProbeFailure(description: bus.lastError?.description ?? "\(bus) isn't connected")
                    }
                }
            )
        }
        if let objects { probes.append(DependencyProbe(name: "object store") { try await objects.check() }) }
        if let results { probes.append(DependencyProbe(name: "results") { try await results.storage.check() }) }
        return probes
    }
}
