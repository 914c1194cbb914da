import Archive
import ArgumentParser
import CodeCache
import Control
import DirectoryStore
import Foundation
import HTTP
import Logging
import Model
import MongoStore
import Monitoring
import NATSBus
import ObjectStorage
import Runtime
import Util

/// The parts of a bot-runner, made and joined as the settings say. Nothing is asked of any service yet.
struct RunnerAssembly: Sendable {
    let settings: RunnerSettings
    let logger: Logger
    let store: StoreParts
    let backend: Backend
    /// The message bus, where one is set.
    let bus: NATSConnection?
    let reconciler: Reconciler<ContinuousClock>
    /// Collects the bots' output, where that is asked for.
    let logs: LogCollection?
    /// Where the bots' output is stored.
    let logStorage: (any ObjectAppending)?
    let health: HealthState
    let probes: [DependencyProbe]
    let registry: PrometheusRegistry

    /// - Throws: `ExitCode`, having said which setting can't be used.
    init(_ settings: RunnerSettings) async throws {
        self.settings = settings
        let logger = Logger(label: "runtime")
        self.logger = logger
        do {
            let executor = try BlockingExecutor(name: "files", threads: 4)
            registry = MetricsSetup.registry
            store = try RunnerAssembly.store(settings, logger: logger)
            let objects = RunnerAssembly.objects(settings, executor: executor)
            let code = try await RunnerAssembly.code(settings, objects: objects, executor: executor)
            backend = try await Backend.open(settings, code: code, executor: executor, logger: logger)
            logStorage = RunnerAssembly.logStorage(settings, executor: executor)
            bus = try RunnerAssembly.bus(settings, logger: logger)
            probes = RunnerAssembly.probes(store: store, backend: backend, bus: bus, objects: objects)
        } catch {
            throw CommandExit.failing(CommandExit.configuration, error)
        }
        let health = HealthState(
            dependencies: probes.map(\.name),
            conditions: [RunnerAssembly.firstPass],
            secrets: settings.secretValues
        )
        self.health = health
        let masks = settings.logs.isMasked ? MaskedBots(store.bots) : nil
        let logs = settings.logs.isCollected ? LogCollection(settings, backend, logStorage, masks, logger) : nil
        self.logs = logs
        var options = settings.reconciler
        options.onObserved = { id, runs in logs?.observed(runs, of: id) }
        options.onPass = { result in
            if case .success = result { health.met(RunnerAssembly.firstPass) }
        }
        reconciler = Reconciler(
            store: masks ?? store.bots,
            runner: backend.runner,
            builder: settings.builder,
            options: options,
            logger: logger
        )
    }

    private static let firstPass = "first full pass"

    /// What wakes the reconciler, each for what it notices.
    var sources: [any WakeSource] {
        var sources: [any WakeSource] = [RunnerWakeSource(backend.runner, name: backend.name)] + store.sources
        if let bus, let writable = store.writable { sources.append(BotEvents(bus, store: writable, logger: logger)) }
        return sources
    }

    private static func store(_ settings: RunnerSettings, logger: Logger) throws(SettingError) -> StoreParts {
        do throws(StoreError) { return try StoreParts(settings.store, logger: logger) } catch {
            throw SettingError(settings.storeSource ?? "--store", error.message)
        }
    }

    private static func bus(_ settings: RunnerSettings, logger: Logger) throws(SettingError) -> NATSConnection? {
        guard let url = settings.natsURL else { return nil }
        do throws(NATSError) {
            return try NATSConnection(
                NATSConnectionOptions(url: url, name: "bot-runner \(settings.instance)"),
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
        store: StoreParts,
        backend: Backend,
        bus: NATSConnection?,
        objects: (any ObjectStorage)?
    ) -> [DependencyProbe] {
        var probes = [
            DependencyProbe(name: store.name, check: store.check),
            DependencyProbe(name: backend.name) { try await backend.ping() },
        ]
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
        return probes
    }
}
