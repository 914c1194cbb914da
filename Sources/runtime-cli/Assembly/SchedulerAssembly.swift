import Control
import Logging
import Monitoring
import NATSBus
import ServiceLifecycle
import Util

/// The parts of a bot-scheduler, made and joined as the settings say. Nothing is asked of any service yet.
struct SchedulerAssembly: Sendable {
    let parts: ServiceParts
    let store: SchedulingParts
    let scheduler: Scheduler
    /// Collects the bots' output, where that is asked for.
    let logs: LogCollection?

    var settings: RunnerSettings { parts.settings }

    /// - Throws: `ExitCode`, having said which setting can't be used.
    init(_ settings: RunnerSettings) async throws {
        let store = try SchedulingParts.open(settings)
        self.store = store
        let logger = Logger(label: "runtime")
        do {
            let probe = DependencyProbe(name: store.name, check: store.check)
            parts = try await ServiceParts(.scheduler, settings, store: probe, logger: logger)
        } catch {
            throw CommandExit.failing(CommandExit.configuration, error)
        }
        let masks = settings.logs.isMasked ? LogMasks() : nil
        let logs = settings.logs.isCollected ? LogCollection(parts, masks) : nil
        self.logs = logs
        scheduler = Scheduler(
            schedules: masks.map { MaskedSchedules(store: store.schedules, masks: $0) } ?? store.schedules,
            runs: store.runs,
            runner: parts.backend.runner,
            results: parts.results,
            builder: settings.builder,
            options: SchedulerOptions(
                interval: settings.scheduler.interval,
                parallelStarts: settings.reconciler.parallelStarts,
                onPass: { [health = parts.health] result in
                    if case .success = result { health.met(ServiceParts.firstPass) }
                },
                onObserved: { id, runs in logs?.observed(runs, of: id) }
            ),
            logger: logger
        )
    }

    /// What wakes the scheduler, each for what it notices.
    private var sources: [WakeSourceService] {
        let scheduler = scheduler
        let runner = RunnerWakeSource(parts.backend.runner, name: parts.backend.name, kind: parts.role.kind)
        var changes = store.sources
        if let bus = parts.bus, let writable = store.writable {
            let events = BotEventsSettings(.schedule)
            changes.append(BotEvents(bus, store: writable, logger: parts.logger, settings: events))
        }
        return changes.map { source in WakeSourceService(source: source) { scheduler.wake($0) } }
            + ([runner] + store.runSources).map { source in
                WakeSourceService(source: source) { wake in
                    switch wake {
                    case .everything: scheduler.wakeRuns(nil)
                    case .bot(let id): scheduler.wakeRuns(id)
                    }
                }
            }
    }

    /// Serves until SIGTERM or SIGINT.
    func serve(stopRunsOnExit: Bool) async throws {
        let logger = parts.logger
        parts.announce(interval: settings.scheduler.interval)
        if parts.results == nil { logger.notice("no object store is set: results of runs aren't kept") }
        // Where it fails, the probe goes on saying so.
        do { try await store.begin?() } catch {
            logger.debug("store not prepared yet", metadata: ["error": "\(error)"])
        }
        let last = SchedulerService(scheduler: scheduler, stopRunsOnExit: stopRunsOnExit, logger: logger)
        try await parts.serve(
            sources + [last],
            logs: logs,
            opened: { [scheduler] in scheduler.wakeRuns(nil) },
            prepare: store.prepare,
            stopsRuns: stopRunsOnExit
        )
    }
}
