import Control
import Logging
import Model
import Monitoring
import NATSBus
import Runtime
import ServiceLifecycle
import Util

/// The parts of a bot-runner, made and joined as the settings say. Nothing is asked of any service yet.
struct RunnerAssembly: Sendable {
    let parts: ServiceParts
    let store: StoreParts
    let reconciler: Reconciler<ContinuousClock>
    /// Collects the bots' output, where that is asked for.
    let logs: LogCollection?

    var settings: RunnerSettings { parts.settings }

    /// - Throws: `ExitCode`, having said which setting can't be used.
    init(_ settings: RunnerSettings) async throws {
        let logger = Logger(label: "runtime")
        do {
            let store = try RunnerAssembly.store(settings, logger: logger)
            self.store = store
            let probe = DependencyProbe(name: store.name, check: store.check)
            parts = try await ServiceParts(.runner, settings, store: probe, logger: logger)
        } catch {
            throw CommandExit.failing(CommandExit.configuration, error)
        }
        let masks = settings.logs.isMasked ? LogMasks() : nil
        let logs = settings.logs.isCollected ? LogCollection(parts, masks) : nil
        self.logs = logs
        var options = settings.reconciler
        options.onObserved = { id, runs in logs?.observed(runs, of: id) }
        options.onPass = { [health = parts.health] result in
            if case .success = result { health.met(ServiceParts.firstPass) }
        }
        let bots = store.bots
        reconciler = Reconciler(
            store: masks.map { MaskedBots(store: bots, masks: $0) } ?? bots,
            runner: parts.backend.runner,
            builder: settings.builder,
            options: options,
            logger: logger
        )
    }

    private static func store(_ settings: RunnerSettings, logger: Logger) throws(SettingError) -> StoreParts {
        do throws(StoreError) { return try StoreParts(settings.store, logger: logger) } catch {
            throw SettingError(settings.storeSource ?? "--store", error.message)
        }
    }

    /// What wakes the reconciler, each for what it notices.
    private var sources: [any WakeSource] {
        let backend = parts.backend
        var sources: [any WakeSource] = [RunnerWakeSource(backend.runner, name: backend.name)] + store.sources
        if let bus = parts.bus, let writable = store.writable {
            sources.append(BotEvents(bus, store: writable, logger: parts.logger))
        }
        return sources
    }

    /// Serves until SIGTERM or SIGINT.
    func serve(stopBotsOnExit: Bool, printStatus: Bool) async throws {
        let logger = parts.logger
        parts.announce(interval: settings.reconciler.interval)
        var services: [any Service] = []
        if printStatus {
            let executor = try BlockingExecutor(name: "status", threads: 1)
            services.append(StatusPrinter(statuses: reconciler.statuses, executor: executor, logger: logger))
        }
        for source in sources { services.append(WakeSourceService(source: source) { reconciler.wake($0) }) }
        services.append(ReconcilerService(reconciler: reconciler, stopBotsOnExit: stopBotsOnExit, logger: logger))
        try await parts.serve(
            services,
            logs: logs,
            opened: { [reconciler] in reconciler.wake(.everything) },
            prepare: store.prepare,
            stopsRuns: stopBotsOnExit
        )
    }

    /// Makes one full pass and does what follows from it.
    func runOnce() async throws {
        parts.announce(interval: settings.reconciler.interval)
        let failed: [BotID: String]
        do throws(ReconcileError) { failed = try await reconciler.runOnce() } catch {
            throw await parts.failing(error)
        }
        for (id, reason) in failed.sorted(by: { $0.key < $1.key }) {
            parts.logger.error("bot is not as it should be", metadata: ["bot": "\(id)", "error": "\(reason)"])
        }
        guard failed.isEmpty else { throw CommandExit.unavailable }
    }
}
