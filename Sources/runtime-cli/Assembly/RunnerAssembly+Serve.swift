import ArgumentParser
import Control
import DockerMode
import Logging
import Metrics
import Model
import Monitoring
import Runtime
import ServiceLifecycle
import UnixSignals
import Util

extension RunnerAssembly {
    /// How long a stop may take before what still goes on is cancelled, and before the process ends all the same.
    private static let stopDeadline = Duration.seconds(15)

    /// Serves until SIGTERM or SIGINT.
    func serve(stopBotsOnExit: Bool, printStatus: Bool) async throws {
        DescriptorLimit.raise()
        announce()
        // Outlasts the engine's own deadline for a stubborn bot, where bots are taken along.
        let patience =
            stopBotsOnExit ? settings.docker.stopGrace + Self.stopDeadline + Self.stopDeadline : Self.stopDeadline
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        // Stopped in the reverse order: the reconciler first, and who watches for a second signal last.
        var services: [any Service] = [
            StopSignals(signals: signals, deadline: patience + Self.stopDeadline, logger: logger),
            StatusServer(address: settings.listen, health: health, registry: registry, logger: logger),
            DependencyProbes(probes: probes, health: health, logger: logger),
        ]
        if let prepare = store.prepare { services.append(StorePreparation(prepare: prepare, logger: logger)) }
        if let logs {
            await logs.open()
            services.append(LogCollectionService(logs: logs) { [reconciler] in reconciler.wake(.everything) })
        }
        if printStatus {
            let executor = try BlockingExecutor(name: "status", threads: 1)
            services.append(StatusPrinter(statuses: reconciler.statuses, executor: executor, logger: logger))
        }
        for source in sources { services.append(WakeSourceService(source: source, reconciler: reconciler)) }
        services.append(ReconcilerService(reconciler: reconciler, stopBotsOnExit: stopBotsOnExit, logger: logger))
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }
        )
        configuration.maximumGracefulShutdownDuration = patience
        // Only reached when no signal began the stop, since then ``StopSignals`` is sooner.
        configuration.maximumCancellationDuration = Self.stopDeadline + Self.stopDeadline
        do { try await ServiceGroup(configuration: configuration).run() } catch let error as MonitoringError {
            throw CommandExit.failing(CommandExit.unavailable, error)
        } catch let error as RunnerError {
            logger.error("not all bots were stopped", metadata: ["error": "\(error)"])
            throw CommandExit.unavailable
        }
        logger.info("stopped")
    }

    /// Makes one full pass and does what follows from it.
    func runOnce() async throws {
        announce()
        let failed: [BotID: String]
        do throws(ReconcileError) { failed = try await reconciler.runOnce() } catch {
            throw await failing(error)
        }
        for (id, reason) in failed.sorted(by: { $0.key < $1.key }) {
            logger.error("bot is not as it should be", metadata: ["bot": "\(id)", "error": "\(reason)"])
        }
        guard failed.isEmpty else { throw CommandExit.unavailable }
    }

    /// Ends for something that doesn't answer; where that is the engine, with what would do without.
    func failing(_ error: some Error) async -> ExitCode {
        var isEngineMissing = false
        if settings.backend == .docker {
            do throws(RunnerError) { try await backend.ping() } catch { isEngineMissing = error.code == .unavailable }
        }
        return CommandExit.failing(CommandExit.unavailable, error, hint: isEngineMissing ? Backend.hint : nil)
    }

    /// Has the output of runs that end meanwhile collected.
    private func collecting<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        guard let logs else { return try await body() }
        await logs.open()
        let outcome = try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await logs.run {} }
            let outcome = try await body()
            group.cancelAll()
            return outcome
        }
        await logs.end()
        return outcome
    }

    private func announce() {
        if settings.storeSource == nil {
            logger.notice("neither --store nor MONGO_URI is set: bots are read from the directory ./bots")
        }
        let place =
            switch settings.store {
            case .directory(let path): path
            case .mongo(let uri): Redaction.url(uri)
            }
        logger.info(
            "bot-runner",
            metadata: [
                "version": "\(RuntimeVersion.current)", "store": "\(place)", "instance": "\(settings.instance)",
                "interval": "\(GoDuration.string(settings.reconciler.interval))",
            ]
        )
        backend.announce()
    }
}

/// The process's one metrics system.
enum MetricsSetup {
    /// Set up with its first use, which must come before any counter is made.
    static let registry: PrometheusRegistry = {
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }()
}
