public import Control
public import Logging
import Synchronization
import Util

/// Writes the platform's events of bots to the store and wakes the bots they concern.
///
/// Where the stream exists its durable consumer is used, so that nothing sent while no runner was up is lost: an event is
/// acknowledged once it is written, and comes again until then. Elsewhere runners share the subjects as a queue group;
/// what is sent while none listens is lost then, and with several runners the order of a bot's events isn't certain.
/// Events are worked off one after another, in their order.
public struct BotEvents: WakeSource {
    /// `nats`.
    public let name = "nats"

    private let connection: NATSConnection
    private let worker: EventWorker
    private let settings: BotEventsSettings
    private let logger: Logger
    private let backoff: Backoff

    /// Watches the events of bots, or of schedules: as the settings say.
    ///
    /// - Parameters:
    ///   - connection: how to reach NATS.
    ///   - store: where events are written to.
    ///   - logger: never told what a payload holds.
    ///   - settings: the names of stream, consumer and queue group, and times.
    public init(
        _ connection: NATSConnection,
        store: any BotWriting,
        logger: Logger,
        settings: BotEventsSettings = BotEventsSettings()
    ) {
        self.connection = connection
        self.settings = settings
        self.logger = logger
        worker = EventWorker(store, logger, kind: settings.kind, refusedAttempts: settings.refusedAttempts)
        backoff = (try? Backoff(initial: .milliseconds(200), maximum: .seconds(3))) ?? .standard
    }

    /// How many events there were.
    public var counts: BotEventCounts { worker.counts }

    /// Works off events until cancelled. Wakes everything whenever it has begun to listen, and a bot once an event of
    /// it is written.
    public func watch(_ wake: @escaping @Sendable (Wake) -> Void) async {
        var memory = EventMemory()
        var failures = 0
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do throws(NATSError) {
                let link = try await connection.link()
                let session = EventSession(link, worker, settings, logger, memory, wake)
                defer {
                    memory = session.memory
                    if session.hasListened { failures = 0 }
                }
                try await session.run()
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                logger.log(
                    level: failures == 1 ? .warning : .debug,
                    "no NATS, trying again",
                    metadata: ["error": "\(error)", "failures": "\(failures)"]
                )
                // Cancelled while waiting: the loop ends.
                try? await Task.sleep(for: backoff.delay(attempt: failures, using: &generator))
            }
        }
    }
}
