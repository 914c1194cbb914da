import ArgumentParser
import Dispatch
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Ends the process at once when it is asked to stop a second time, or when a stop takes longer than it may.
struct StopSignals: Service {
    /// Trapped before any service runs: none is missed.
    let signals: UnixSignalsSequence
    /// From the first signal on.
    let deadline: Duration
    let logger: Logger

    func run() async throws {
        var isStopping = false
        for await signal in signals.cancelOnGracefulShutdown() {
            if isStopping {
                logger.warning("asked to stop again: ending at once", metadata: ["signal": "\(signal)"])
                Self.end(signal == .sigint ? 130 : 143)
            }
            isStopping = true
            // No task: it must come even when every thread of the pool hangs, or all tasks were cancelled.
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(deadline.components.seconds))) {
                [logger] in
                logger.critical("not stopped within the deadline: ending all the same")
                Self.end(CommandExit.overdue.rawValue)
            }
        }
    }

    /// Ends without exit handlers, which may crash or wait while other threads still work.
    private static func end(_ code: Int32) -> Never {
        MongoCounters.removeOwn()
        _exit(code)
    }
}
