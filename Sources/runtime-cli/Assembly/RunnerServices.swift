import Control
import Foundation
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
        do throws(RunnerError) { try await reconciler.removeAll() } catch {
            logger.error("not all bots were stopped", metadata: ["error": "\(error)"])
        }
    }
}

/// One source of wake-ups.
struct WakeSourceService: Service {
    let source: any WakeSource
    let reconciler: Reconciler<ContinuousClock>

    func run() async throws {
        await cancelWhenGracefulShutdown { await source.watch { reconciler.wake($0) } }
    }
}

/// What must be done once, as soon as the store answers.
struct StorePreparation: Service {
    let prepare: @Sendable () async throws(StoreError) -> Void
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var attempt = 0
            while !Task.isCancelled {
                do throws(StoreError) {
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

/// Prints a table of all bots whenever one changes.
struct StatusPrinter: Service {
    let statuses: StatusBoard

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var shown = ""
            while !Task.isCancelled {
                let rows = statuses.all.map { [$0.id.text, $0.status.name, $0.status.reason] }
                let table = TextTable.render(header: ["BOT", "STATUS", "REASON"], rows: rows)
                if table != shown, !rows.isEmpty {
                    FileHandle.standardOutput.write(Data("\n\(table)\n\n".utf8))
                    shown = table
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
