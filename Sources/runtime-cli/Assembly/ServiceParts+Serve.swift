import ArgumentParser
import DockerMode
import Logging
import Metrics
import Monitoring
import Runtime
import ServiceLifecycle
import UnixSignals
import Util

extension ServiceParts {
    /// How long a stop may take before what still goes on is cancelled, and before the process ends all the same.
    private static let stopDeadline = Duration.seconds(15)

    /// Serves until SIGTERM or SIGINT.
    /// - Parameters:
    ///   - services: what is particular to the service; stopped in the reverse order, and before everything else.
    ///   - logs: the collection of the bots' output.
    ///   - opened: called when the collection could begin only later.
    ///   - stopsRuns: whether what runs is stopped too.
    func serve(
        _ own: [any Service],
        logs: LogCollection?,
        opened: @escaping @Sendable () -> Void,
        prepare: (@Sendable () async throws -> Void)?,
        stopsRuns: Bool
    ) async throws {
        // Outlasts the engine's own deadline for a stubborn bot, where bots are taken along.
        let patience = stopsRuns ? settings.docker.stopGrace + Self.stopDeadline + Self.stopDeadline : Self.stopDeadline
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        // Stopped in the reverse order: who watches for a second signal last.
        var services: [any Service] = [
            StopSignals(signals: signals, deadline: patience + Self.stopDeadline, logger: logger),
            StatusServer(address: settings.listen, health: health, registry: registry, logger: logger),
            DependencyProbes(probes: probes, health: health, logger: logger),
        ]
        if let prepare { services.append(StorePreparation(prepare: prepare, logger: logger)) }
        if let logs {
            await logs.open()
            services.append(LogCollectionService(logs: logs, opened: opened))
        }
        services += own
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

    /// Ends for something that doesn't answer; where that is the engine, with what would do without.
    func failing(_ error: some Error) async -> ExitCode {
        var isEngineMissing = false
        if settings.backend == .docker {
            do throws(RunnerError) { try await backend.ping() } catch { isEngineMissing = error.code == .unavailable }
        }
        return CommandExit.failing(CommandExit.unavailable, error, hint: isEngineMissing ? Backend.hint : nil)
    }

    /// Says in the first lines of the log what this is.
    /// - Parameter interval: how often everything is looked at.
    func announce(interval: Duration) {
        DescriptorLimit.raise(logger)
        MemoryAllocator.giveBack()
        if settings.storeSource == nil {
            logger.notice("neither --store nor MONGO_URI is set: bots are read from the directory ./bots")
        }
        let place =
            switch settings.store {
            case .directory(let path): path
            case .mongo(let uri): Redaction.url(uri)
            }
        logger.info(
            "\(role.rawValue)",
            metadata: [
                "version": "\(RuntimeVersion.current)", "store": "\(place)", "instance": "\(settings.instance)",
                "interval": "\(GoDuration.string(interval))",
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
