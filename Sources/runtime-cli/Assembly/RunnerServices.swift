import Control
import Logging
import Model
import Runtime
import ServiceLifecycle
import Util

/// The reconciler, until it is told to stop; then, if asked, the bots too.
struct ReconcilerService: Service {
    let reconciler: Reconciler<ContinuousClock>
    let stopBotsOnExit: Bool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await reconciler.run() }
        guard stopBotsOnExit else {
            logger.info("stopping; bots run on")
            return
        }
        logger.info("stopping, and the bots too")
        // What is left running must not pass for a stop in good order.
        try await reconciler.removeAll()
    }
}

/// The scheduler, until it is told to stop; then, if asked, the runs too.
struct SchedulerService: Service {
    let scheduler: Scheduler
    let stopRunsOnExit: Bool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await scheduler.run() }
        guard stopRunsOnExit else {
            logger.info("stopping; runs go on")
            return
        }
        logger.info("stopping, and the runs too")
        // What is left running must not pass for a stop in good order.
        try await scheduler.stopRuns()
    }
}

/// One source of wake-ups.
struct WakeSourceService: Service {
    let source: any WakeSource
    let wake: @Sendable (Wake) -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown { await source.watch(wake) }
    }
}

/// What must be done once, as soon as the store answers.
struct StorePreparation: Service {
    let prepare: @Sendable () async throws -> Void
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var attempt = 0
            while !Task.isCancelled {
                do {
                    try await prepare()
                    break
                } catch {
                    attempt += 1
                    logger.debug("store not prepared yet", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: Backoff.standard.delay(attempt: attempt, seed: 0))
                }
            }
        }
        // A service that ends would end all others.
        try? await gracefulShutdown()
    }
}
