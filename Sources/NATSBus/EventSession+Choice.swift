import Control
import Logging
import Model

extension EventSession {
    /// Listens through the stream where it exists, else without it.
    /// - Returns: whether the way of listening is another than before, so that something may have been missed.
    func choose(connection: Int, isNew: Bool) async throws(NATSError) -> Bool {
        switch mode {
        case .stream(var consumer):
            // A request goes with its connection.
            if isNew { consumer.answered() }
            mode = .stream(consumer)
            guard try await link.consumer(settings.consumer) == nil else { return false }
            logger.warning(
                "the consumer is gone, making it anew",
                metadata: ["stream": "\(settings.stream)", "consumer": "\(settings.durable)"]
            )
            mode = .none
            await consumer.subscription.end()
            try await rejoin(connection)
            return true
        case .core:
            if try await joins(connection) { return true }
            return false
        case .none:
            guard try await !joins(connection) else { return true }
            try await listenWithoutStream()
            try await link.flush()
            // Absent still, now that we listen: whatever a stream will hold, we shall have heard.
            if try await joins(connection) { return true }
            return true
        }
    }

    /// Waits for the stream, which the API deletes and makes anew within moments: listening without it meanwhile would
    /// bring the same events twice.
    private func rejoin(_ connection: Int) async throws(NATSError) {
        let deadline = ContinuousClock.now.advanced(by: settings.streamGrace)
        while ContinuousClock.now < deadline, !Task.isCancelled {
            if try await joins(connection) { return }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
        }
        try await listenWithoutStream()
        try await link.flush()
        _ = try await joins(connection)
    }

    private func listenWithoutStream() async throws(NATSError) {
        let subscription = try await Subscription.open(
            link,
            settings.consumer.filter,
            queue: settings.queue,
            maxPayload: settings.maxPayload,
            into: inputs
        )
        mode = .core(subscription)
        logger.info(
            "listening without a stream: events sent while no runner is up are lost",
            metadata: ["stream": "\(settings.stream)", "queue": "\(settings.queue)"]
        )
    }

    /// Begins to listen through the stream, making the consumer if need be; false where there is no stream.
    ///
    /// A stream that can't be used, or whose state can't be learned, is as none: being deaf would be worse.
    private func joins(_ connection: Int) async throws(NATSError) -> Bool {
        let consumer: PullConsumer
        do throws(NATSError) {
            guard let stream = try await link.stream(settings.stream) else {
                memory.hasSeenAbsence = true
                (memory.streamFailures, memory.streamProblem) = (0, nil)
                if case .core = mode, link.state.epoch == connection { memory.coveredConnection = connection }
                return false
            }
            try await prepareConsumer(of: stream, connection)
            await savePosition()
            consumer = try await PullConsumer(link, settings.consumer, maxPayload: settings.maxPayload, into: inputs)
        } catch {
            memory.coveredConnection = nil
            guard link.state.epoch == connection, error.code != .closed else { throw error }
            memory.streamFailures += 1
            logger.log(
                level: memory.streamProblem == error.message ? .debug : .warning,
                "the stream can't be used",
                metadata: ["stream": "\(settings.stream)", "error": "\(error)"]
            )
            memory.streamProblem = error.message
            return false
        }
        if case .core(let subscription) = mode {
            // What came through it is in the line, before what the consumer will bring.
            await subscription.end()
        }
        mode = .stream(consumer)
        memory.coveredConnection = nil
        (memory.streamFailures, memory.streamProblem) = (0, nil)
        logger.info(
            "listening through a stream",
            metadata: ["stream": "\(settings.stream)", "consumer": "\(settings.durable)"]
        )
        return true
    }

    private func prepareConsumer(of stream: StreamSnapshot, _ connection: Int) async throws(NATSError) {
        let plan = settings.consumer
        guard let present = try await link.consumer(plan) else {
            if memory.position == nil { memory.position = try await savedPosition() }
            let start = try await start(of: stream, connection)
            try await link.add(plan, from: start)
            let sequence: UInt64 =
                switch start {
                case .all: 0
                case .new: stream.lastSequence
                case .after(let sequence): sequence
                }
            memory.position = StreamPosition(created: stream.created, sequence: sequence)
            logger.info(
                "made a consumer",
                metadata: ["stream": "\(plan.stream)", "consumer": "\(plan.durable)", "start": "\(start)"]
            )
            return
        }
        guard !present.isPush else {
            throw NATSError(
                .refused,
                "NATS: consumer \(plan.durable) of \(plan.stream) is one that the server pushes to; "
                    + "expected one that is asked: delete it, and it will be made anew"
            )
        }
        if !present.isAsMade { try await link.repair(plan) }
        memory.position = StreamPosition(created: stream.created, sequence: present.acknowledged)
    }

    private func savedPosition() async throws(NATSError) -> StreamPosition? {
        do throws(NATSError) { return try await link.savedPosition(settings.positionKey) } catch {
            // Not being able to read it may pass, or not: only where it doesn't, it's as none.
            guard memory.streamFailures >= 2 else { throw error }
            logger.warning("nobody knows how far events were worked off", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Has a later process know that there is a consumer, should the stream be gone by then. Without it all goes on.
    private func savePosition() async {
        guard memory.canSave, let position = memory.position else { return }
        do throws(NATSError) { try await link.save(position, settings.positionKey) } catch {
            memory.canSave = error.code == .unavailable
            logger.warning(
                "how far events are worked off can't be kept: of a stream made anew while no runner is up, only news will count",
                metadata: ["error": "\(error)"]
            )
        }
    }

    private func start(of stream: StreamSnapshot, _ connection: Int) async throws(NATSError) -> ConsumerStart {
        if let start = memory.start(streamCreated: stream.created, connection: connection) { return start }
        // The very first on this stream. Its events, up to a week old, were worked off by another runtime, whose database
        // this is. An empty one says that there was none: then nothing can be overwritten, and every event counts.
        let isEmpty: Bool
        do { isEmpty = try await worker.store.isEmpty() } catch {
            throw NATSError(.unavailable, "where to begin depends on whether there are bots: \(error)", cause: error)
        }
        if isEmpty { return .all }
        do throws(NATSError) { try await takeOver(stream) } catch {
            // The right to read single messages may be missing: only where it doesn't pass, it's done without.
            guard memory.streamFailures >= 2, error.cause == nil else { throw error }
            logger.warning("what was sent before the first start isn't known", metadata: ["error": "\(error)"])
        }
        return .after(stream.lastSequence)
    }
}
