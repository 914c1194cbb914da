import Control
import Logging
import Model
import Synchronization
import Util

/// Writes events to the store.
final class EventWorker: Sendable {
    enum Outcome: Sendable, Hashable {
        /// Written: the bot is to be looked at.
        case applied(BotID)
        /// Of no use, now and later; reported.
        case rejected
        /// Not written, but may be later.
        case failed
    }

    let store: any BotWriting
    private let logger: Logger
    private let kind: BotEventKind
    private let refusedAttempts: Int
    private let tally = Mutex(BotEventCounts())

    init(_ store: any BotWriting, _ logger: Logger, kind: BotEventKind = .bot, refusedAttempts: Int) {
        self.store = store
        self.kind = kind
        self.logger = logger
        self.refusedAttempts = refusedAttempts
    }

    var counts: BotEventCounts { tally.withLock { $0 } }

    func countDropped(_ count: Int) { tally.withLock { $0.dropped += count } }

    /// Tries once to work off an event.
    ///
    /// - Parameters:
    ///   - attempt: how often it was tried, this time included.
    ///   - sequence: its number in the stream, where it comes from one.
    func work(_ delivery: Delivery, attempt: Int, sequence: UInt64?) async -> Outcome {
        let event: BotEvent
        do throws(BotEventError) { event = try self.event(of: delivery) } catch {
            return reject(delivery, sequence, id: error.id, problem: error.problem)
        }
        do throws(StoreError) { try await write(event) } catch {
            let isFinal = !error.isRetryable && attempt >= refusedAttempts && !Task.isCancelled
            guard !isFinal else {
                return reject(delivery, sequence, id: event.id.text, problem: "the store refuses it: \(error)")
            }
            logger.log(
                level: attempt == 1 ? .warning : .debug,
                "event not written, trying again",
                metadata: metadata(delivery, sequence, id: event.id.text).merging(
                    ["error": "\(error)", "attempt": "\(attempt)"],
                    uniquingKeysWith: { $1 }
                )
            )
            return .failed
        }
        tally.withLock { $0.applied += 1 }
        logger.debug("event written", metadata: metadata(delivery, sequence, id: event.id.text))
        return .applied(event.id)
    }

    private func event(of delivery: Delivery) throws(BotEventError) -> BotEvent {
        guard case .bytes(let bytes) = delivery.payload else {
            throw BotEventError("the payload has \(delivery.size) bytes; expected fewer")
        }
        return try BotEvent(subject: delivery.subject, payload: bytes, kind: kind)
    }

    /// Writes what an event says, trying once.
    func write(_ event: BotEvent) async throws(StoreError) {
        switch event {
        case .created(let document): try await store.create(document)
        case .updated(let document): try await store.update(document)
        case .deleted(let id): try await store.delete(id)
        }
    }

    private func reject(_ delivery: Delivery, _ sequence: UInt64?, id: String?, problem: String) -> Outcome {
        tally.withLock { $0.rejected += 1 }
        logger.error(
            "event given up",
            metadata: metadata(delivery, sequence, id: id).merging(["problem": "\(problem)"], uniquingKeysWith: { $1 })
        )
        return .rejected
    }

    private func metadata(_ delivery: Delivery, _ sequence: UInt64?, id: String?) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["subject": "\(delivery.subject)", "bytes": "\(delivery.size)"]
        if let id { metadata["bot"] = "\(id)" }
        if let sequence { metadata["sequence"] = "\(sequence)" }
        return metadata
    }
}
