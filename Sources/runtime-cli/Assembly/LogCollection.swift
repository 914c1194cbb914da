import Foundation
import Logging
import Logs
import Model
import Runtime
import ServiceLifecycle
import Synchronization
import Util

/// The collection of the bots' output, from the moment the spool is this process's own: during an upgrade another may still
/// have it.
final class LogCollection: Sendable {
    private let parts: ServiceParts
    private let masks: LogMasks?
    private let logger: Logger
    private let final = FinalReader()

    /// How long lines that aren't stored yet may hold up the end; they stay in the spool.
    private static let finish = Duration.seconds(5)

    init(_ parts: ServiceParts, _ masks: LogMasks?) {
        self.parts = parts
        self.masks = masks
        logger = parts.logger
        parts.backend.readFinally(final)
    }

    /// The folder that lines wait in: one of each service's own, for a spool is one process's.
    static func spool(_ settings: RunnerSettings, _ role: ServiceParts.Role) -> String {
        // No instance's name has a dot.
        "\(settings.cacheDirectory)/the0-logs/\(settings.instance)\(role == .scheduler ? ".scheduled" : "")"
    }

    private var spoolPath: String { Self.spool(parts.settings, parts.role) }

    /// Tells what runs there are.
    func observed(_ runs: [ObservedRun], of id: BotID?) {
        collector?.observed(runs, of: id)
    }

    /// Takes the spool, unless another process has it; before anything can be removed whose last lines are to be read.
    func open() async {
        do { try await take() } catch {
            let metadata: Logger.Metadata = ["spool": "\(spoolPath)", "error": "\(error)"]
            logger.warning("bots' output isn't collected for now", metadata: metadata)
        }
    }

    /// Collects until cancelled; while another process has the spool, waits for it.
    /// - Parameter opened: called when the spool is there at last, so that what runs is looked at again.
    func run(opened: @Sendable () -> Void) async {
        while collector == nil {
            // Cancelled means that nothing is collected any more.
            do { try await Task.sleep(for: .seconds(2)) } catch { return }
            guard (try? await take()) != nil else { continue }
            logger.notice("bots' output is collected from now on")
            opened()
        }
        await collector?.run()
    }

    /// Stores what isn't yet, as far as that goes quickly.
    func end() async {
        await collector?.finish(within: Self.finish)
        // The collector has the runner, and the runner who reads last.
        final.set(nil)
    }

    private var collector: LogCollector? { final.collector }

    private func take() async throws {
        let path = spoolPath
        // Without an object store a spool is all there is of a bot's output.
        let options = Spool.Options(
            limit: Int(clamping: parts.settings.logs.spoolSize),
            ring: parts.logStorage == nil ? 10 << 20 : nil
        )
        let executor = try BlockingExecutor(name: "logs", threads: 4)
        let spool = try await executor.blocking {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            return try Spool(path: path, options: options)
        }
        var collecting = LogCollectorOptions(mostFollowed: DescriptorLimit.mostFollowed)
        if let masks { collecting.masking = { masks.masking(of: $0) } }
        let collector = LogCollector(
            follower: parts.backend.runner,
            spool: spool,
            storage: parts.logStorage,
            options: collecting,
            executor: executor,
            logger: logger
        )
        final.set(collector)
    }
}

/// Reads what a run wrote last, while there is a collector.
private final class FinalReader: FinalOutputReading {
    private let state = Mutex<LogCollector?>(nil)

    var collector: LogCollector? { state.withLock { $0 } }

    func set(_ collector: LogCollector?) { state.withLock { $0 = collector } }

    func readToEnd(of run: ObservedRun) async { await collector?.readToEnd(of: run) }
}

/// The collection of the bots' output; ends after the reconciler, whose removals it reads the last lines of.
struct LogCollectionService: Service {
    let logs: LogCollection
    let opened: @Sendable () -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown { await logs.run(opened: opened) }
        await logs.end()
        // Where it could not begin, it doesn't end the others.
        try? await gracefulShutdown()
    }
}
