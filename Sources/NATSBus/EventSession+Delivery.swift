import CNats
import Control
import Logging
import Model
import Util

extension EventSession {
    func handle(_ delivery: Delivery) async {
        if let reply = delivery.reply, let ack = AckReply(reply) {
            await handle(delivery, ack, reply)
        } else if delivery.status != nil {
            await handleStatus(delivery)
        } else {
            await handleWithoutStream(delivery)
        }
    }

    /// An event from the stream: settled with the server in every case, so that the next one comes.
    private func handle(_ delivery: Delivery, _ ack: AckReply, _ reply: String) async {
        if case .stream(var consumer) = mode {
            consumer.answered()
            mode = .stream(consumer)
        }
        guard !Task.isCancelled else { return await send("-NAK", to: reply) }
        switch await worker.work(delivery, attempt: ack.delivered, sequence: ack.sequence) {
        case .applied(let id):
            wakes.add(id, hold: ack.pending > 0)
            await send("+ACK", to: reply)
            await settled(ack)
        case .rejected:
            await send("+TERM", to: reply)
            await settled(ack)
        case .failed:
            // Nobody else gets a later event meanwhile: the consumer gives out one at a time.
            let delay = Task.isCancelled ? .zero : Self.delay(ack.delivered)
            await send(delay == .zero ? "-NAK" : #"-NAK {"delay":\#(delay.milliseconds * 1_000_000)}"#, to: reply)
        }
        if ack.pending == 0 { wakes.release() }
    }

    /// Moves the position on. It is sent without waiting: an older one only lets a few events come again.
    private func settled(_ ack: AckReply) async {
        guard let old = memory.position else { return }
        let position = StreamPosition(created: old.created, sequence: max(old.sequence, ack.sequence))
        memory.position = position
        if memory.canSave { await send(position.text, to: settings.positionKey.subject) }
    }

    /// Sends an answer. One that doesn't arrive brings the event again, which does no harm.
    private func send(_ text: String, to subject: String) async {
        do throws(NATSError) { try await link.publish(subject, Array(text.utf8)) } catch {
            logger.debug("an event couldn't be answered and will come again", metadata: ["error": "\(error)"])
        }
    }

    /// The answer to a request that brought no message.
    private func handleStatus(_ delivery: Delivery) async {
        guard case .stream(var consumer) = mode, consumer.isAnswer(delivery) else { return }
        consumer.answered()
        mode = .stream(consumer)
        switch delivery.status {
        // Nothing came in the time asked for.
        case 404, 408: wakes.release()
        // The consumer was deleted, is led by another server now, or nobody answers in its name.
        default:
            isInDoubt = true
            // A server that says no at once must not be asked in a whirl. Cancelled while waiting: the loop ends.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// An event outside of a stream is gone once it is let go of: it is tried until it is written.
    private func handleWithoutStream(_ delivery: Delivery) async {
        var attempt = 1
        while !Task.isCancelled {
            switch await worker.work(delivery, attempt: attempt, sequence: nil) {
            case .applied(let id): return wakes.add(id, hold: false)
            case .rejected: return
            case .failed: break
            }
            // Cancelled while waiting: the loop ends.
            try? await Task.sleep(for: Self.delay(attempt))
            attempt += 1
        }
        logger.error(
            "event lost: it couldn't be written before the end",
            metadata: ["subject": "\(delivery.subject)", "bytes": "\(delivery.size)"]
        )
    }

    /// How long to wait for the store after so many attempts.
    static func delay(_ attempt: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return backoff.delay(attempt: attempt, using: &generator)
    }

    private static let backoff = (try? Backoff(initial: .milliseconds(200), maximum: .seconds(10))) ?? .standard
}
