public import Logging
import Metrics
public import Model
import Runtime
import Synchronization
import Util

/// The latest status of every bot, for logs, metrics and whoever asks. Never used to decide anything.
public final class StatusBoard: Sendable {
    private let statuses = Mutex<[BotID: BotStatus]>([:])
    private let logger: Logger
    private let gauges: [String: Gauge]

    /// A board that logs changes.
    public init(logger: Logger) {
        self.logger = logger
        gauges = Dictionary(
            uniqueKeysWithValues: BotStatus.names.map { ($0, Gauge(label: "bots", dimensions: [("status", $0)])) }
        )
    }

    /// Every bot with its status, by id.
    public var all: [(id: BotID, status: BotStatus)] {
        statuses.withLock { $0.map { (id: $0.key, status: $0.value) } }.sorted { $0.id < $1.id }
    }

    /// The status of one bot.
    public func status(of id: BotID) -> BotStatus? { statuses.withLock { $0[id] } }

    /// Notes the status of a bot and logs it when it has changed; nil forgets a bot that is gone.
    func note(_ status: BotStatus?, of id: BotID) {
        let before = statuses.withLock { statuses in
            defer { statuses[id] = status }
            return statuses[id]
        }
        guard let status, before?.logKey != status.logKey else { return }
        // A bot that was off when this program began is no news.
        if before == nil, status == .stopped { return }
        logger.log(level: status.logLevel, "bot \(status.name)", metadata: status.metadata(id: id))
    }

    /// Forgets bots that are neither desired nor observed any more, and counts the rest.
    func retain(_ ids: Set<BotID>) {
        let counts = statuses.withLock { statuses in
            for id in statuses.keys where !ids.contains(id) { statuses[id] = nil }
            return Dictionary(grouping: statuses.values, by: \.name).mapValues(\.count)
        }
        for (name, gauge) in gauges { gauge.record(counts[name] ?? 0) }
    }
}

extension BotStatus {
    /// All names that a status can have.
    static let names = [
        "running", "starting", "backing-off", "start-failed", "replacing", "stopping", "stopped", "invalid",
    ]

    /// What must change for a status to be worth a line in the log.
    fileprivate var logKey: String {
        switch self {
        case .running, .starting, .replacing, .stopping, .stopped: name
        case .backingOff(_, let exit, let attempt): "\(name) \(attempt) \(exit.finishedAt)"
        // Each look works the time out anew, from two clocks: it differs by microseconds.
        case .startFailed(let until, let reason):
            "\(name) \((until.nanosecondsSince1970 + 500_000_000) / 1_000_000_000) \(reason)"
        case .invalid(let error, let isRunning): "\(name) \(error) \(isRunning)"
        }
    }

    fileprivate var logLevel: Logger.Level {
        switch self {
        case .running, .stopped, .starting, .replacing, .stopping: .info
        case .backingOff, .startFailed: .warning
        case .invalid: .error
        }
    }

    fileprivate func metadata(id: BotID) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["bot": "\(id)"]
        switch self {
        case .running(let since): metadata["since"] = "\(since)"
        case .starting, .replacing, .stopping, .stopped: break
        case .backingOff(let until, let exit, let attempt):
            metadata["exit_code"] = "\(exit.code)"
            if exit.outOfMemory { metadata["out_of_memory"] = "true" }
            if !exit.platformError.isEmpty { metadata["error"] = "\(exit.platformError)" }
            metadata["attempt"] = "\(attempt)"
            metadata["next_start"] = "\(until)"
        case .startFailed(let until, let reason):
            metadata["error"] = "\(reason)"
            metadata["next_start"] = "\(until)"
        case .invalid(let error, let isRunning):
            metadata["field"] = "\(error.field)"
            metadata["error"] = "\(error.problem)"
            metadata["left_running"] = "\(isRunning)"
        }
        return metadata
    }
}
