import Control
import Logging
import Model
import Util

/// The work on one connection: it listens in the best way there is, and works off what comes.
///
/// After each input it looks at how things stand and does what is missing; so an event of the connection that got lost
/// is made up for by the next.
final class EventSession {
    enum Mode {
        case none
        /// As a member of the queue group.
        case core(Subscription)
        case stream(PullConsumer)
    }

    let link: Link
    let worker: EventWorker
    let settings: BotEventsSettings
    let logger: Logger
    let inputs: Inputs
    let wakes: HeldWakes
    var memory: EventMemory
    var mode = Mode.none
    /// Whether the consumer may be gone.
    var isInDoubt = false

    /// Whether it has listened to anything at all.
    private(set) var hasListened = false

    private let wake: @Sendable (Wake) -> Void
    /// The connection of which it is certain that we listen on it.
    private var settledConnection: Int?
    private var nextPoll = ContinuousClock.now
    private var reportedDrops = 0

    init(
        _ link: Link,
        _ worker: EventWorker,
        _ settings: BotEventsSettings,
        _ logger: Logger,
        _ memory: EventMemory,
        _ wake: @escaping @Sendable (Wake) -> Void
    ) {
        self.link = link
        self.worker = worker
        self.settings = settings
        self.logger = logger
        self.memory = memory
        self.wake = wake
        inputs = Inputs(capacity: settings.maxWaiting)
        wakes = HeldWakes(wake)
    }

    /// Works until cancelled, or until the connection is closed.
    /// - Throws: ``NATSError`` when it was closed by somebody else.
    func run() async throws(NATSError) {
        let (inputs, wakes, poll) = (inputs, wakes, settings.streamPoll)
        link.state.observe(inputs)
        defer { link.state.stopObserving(inputs) }
        let failure = await withTaskGroup(of: Void.self, returning: NATSError?.self) { group in
            group.addTask {
                // Both end with the group.
                while (try? await Task.sleep(for: poll)) != nil { inputs.signal(.tick) }
            }
            group.addTask { await wakes.releaseInTime() }
            let failure = await self.work()
            group.cancelAll()
            return failure
        }
        await leave()
        wakes.release()
        if let failure { throw failure }
    }

    private func work() async -> NATSError? {
        do throws(NATSError) {
            try await settle()
            // Once cancelled, what was in the line still comes, so that it can be handed back.
            for await input in inputs.stream {
                if case .delivery(let delivery) = input {
                    inputs.took(delivery)
                    await handle(delivery)
                }
                guard !Task.isCancelled else { continue }
                try await settle()
            }
            return nil
        } catch {
            return error
        }
    }

    /// Does what is missing for listening to all events.
    private func settle() async throws(NATSError) {
        guard !link.state.isClosed else { throw link.closedError }
        reportDrops()
        guard let connection = link.state.epoch else { return }
        let isNew = connection != settledConnection
        if isNew || isInDoubt || ContinuousClock.now >= nextPoll {
            nextPoll = ContinuousClock.now.advanced(by: settings.streamPoll * memory.patience)
            do throws(NATSError) {
                let hasChanged = try await choose(connection: connection, isNew: isNew)
                isInDoubt = false
                if isNew || hasChanged {
                    try await link.flush()
                    settledConnection = connection
                    hasListened = true
                    wake(.everything)
                }
            } catch {
                // The next tick or the next connection finds it unsettled.
                settledConnection = nil
                logger.warning("NATS doesn't answer as it should", metadata: ["error": "\(error)"])
                return
            }
        }
        await requestNext()
    }

    private func requestNext() async {
        guard case .stream(var consumer) = mode else { return }
        do throws(NATSError) { try await consumer.request(link) } catch {
            logger.debug("no request for the next event", metadata: ["error": "\(error)"])
        }
        mode = .stream(consumer)
    }

    /// Events that were lost here can't be brought back; but bots may have been changed all the same.
    private func reportDrops() {
        var drops = inputs.dropped
        if case .core(let subscription) = mode { drops += subscription.dropped }
        let new = drops - reportedDrops
        guard new > 0 else { return }
        reportedDrops = drops
        memory.coveredConnection = nil
        worker.countDropped(new)
        logger.error("events lost: more came than could be written", metadata: ["lost": "\(new)"])
        wake(.everything)
    }

    /// Stops listening, so that others get what comes from now on.
    private func leave() async {
        switch mode {
        case .none: break
        case .core(let subscription): await subscription.end()
        case .stream(let consumer): await consumer.subscription.end()
        }
        mode = .none
        memory.coveredConnection = nil
    }
}
