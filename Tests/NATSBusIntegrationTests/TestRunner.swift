import Control
import Logging
import Model
import Synchronization
import TestSupport

@testable import NATSBus

/// A runner's part in the events: a connection, the watch, and what it has woken.
final class TestRunner: Sendable {
    let connection: NATSConnection
    let store: MemoryStore
    let events: BotEvents
    let logs: Logs
    private let recorded = Mutex<[Wake]>([])
    private let watching = Mutex<Task<Void, Never>?>(nil)

    /// Starts watching.
    init(
        _ url: String,
        store: MemoryStore = MemoryStore(),
        logs: Logs = Logs(),
        poll: Duration = .milliseconds(300),
        maxWaiting: Int = 4096,
        takeover: Duration = .seconds(600),
        kind: BotEventKind = .bot
    )
        throws
    {
        self.store = store
        self.logs = logs
        connection = try NATSConnection(.test(url), logger: logs.logger)
        events = BotEvents(
            connection,
            store: store,
            logger: logs.logger,
            settings: .test(kind, poll: poll, maxWaiting: maxWaiting, takeover: takeover)
        )
        let task = Task { [events] in
            await events.watch { wake in self.recorded.withLock { $0.append(wake) } }
        }
        watching.withLock { $0 = task }
    }

    var wakes: [Wake] { recorded.withLock { $0 } }

    /// How often everything was woken.
    var passes: Int { wakes.count { $0 == .everything } }

    /// Returns once it listens.
    func listening(within limit: Duration = .seconds(10)) async throws {
        try await eventually(within: limit, "the runner listens") { self.passes > 0 }
    }

    /// Returns once it has listened anew so often.
    func passes(_ count: Int, within limit: Duration = .seconds(15)) async throws {
        try await eventually(within: limit, "pass \(count)") { self.passes >= count }
    }

    /// Returns once it listens through the stream.
    func usesStream() async throws {
        try await eventually("the stream is used") { self.logs.text.contains("listening through a stream") }
        try await listening()
    }

    /// Ends as a process that is told to.
    func stop() async {
        let task = watching.withLock { $0 }
        task?.cancel()
        await task?.value
        await connection.close()
    }
}

extension NATSConnectionOptions {
    /// Quick to notice and to come back.
    static func test(_ url: String) -> NATSConnectionOptions {
        var options = NATSConnectionOptions(url: url, name: "test")
        options.reconnectWait = .milliseconds(100)
        options.pingInterval = .milliseconds(300)
        options.requestTimeout = .seconds(1)
        return options
    }
}

extension BotEventsSettings {
    static func test(
        _ kind: BotEventKind,
        poll: Duration,
        maxWaiting: Int,
        takeover: Duration
    ) -> BotEventsSettings {
        var settings = BotEventsSettings(kind)
        settings.streamPoll = poll
        settings.maxWaiting = maxWaiting
        settings.takeover = takeover
        settings.streamGrace = .seconds(1)
        settings.ackWait = .seconds(5)
        return settings
    }
}

/// Log lines with their metadata.
final class Logs: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(logs: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let logs: Logs
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            logs.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
