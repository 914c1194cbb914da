import CNats
import Control
import Logging
import Model
import Util

/// What the last events of a stream come to: for each bot, the one event that has the effect of all of them.
///
/// Played one after another, old events would show the states of the past for a moment, and a bot that is long gone could
/// be started in it.
struct RecentEvents {
    private(set) var effects: [BotID: BotEvent] = [:]

    /// Adds an event that came after those before.
    mutating func add(_ event: BotEvent) {
        let before = effects[event.id]
        effects[event.id] =
            switch (before, event) {
            case (_, .deleted), (nil, _): event
            // The bot may be there still; what it had is of no account any more.
            case (.deleted, .created(let document)), (.deleted, .updated(let document)): .updated(document)
            // It is there already.
            case (.created, .created), (.updated, .created): before
            case (.created(let old), .updated(let new)), (.updated(let old), .updated(let new)):
                .updated(BotDocument(id: new.id, fields: old.fields.setting(new.fields)))
            }
    }
}

extension JSONObject {
    fileprivate func setting(_ fields: JSONObject) -> JSONObject {
        var result = self
        for (name, value) in fields.members { result[name] = value }
        return result
    }
}

extension EventSession {
    /// Writes what the last events before our first come to.
    ///
    /// Who worked them off until now, version 1.2.0, leaves no trace of how far it got, and hears nothing of what is sent
    /// between its end and our start. What it did work off is written once more, which changes nothing.
    func takeOver(_ stream: StreamSnapshot) async throws(NATSError) {
        let cutoff = Timestamp.now.nanosecondsSince1970 - settings.takeover.milliseconds * 1_000_000
        let messages = try await link.recentMessages(
            of: settings.stream,
            upTo: stream.lastSequence,
            since: cutoff,
            most: settings.maxWaiting
        )
        var recent = RecentEvents()
        for message in messages where message.subject.hasPrefix(settings.kind.prefix) {
            guard message.payload.count <= settings.maxPayload else { continue }
            do throws(BotEventError) {
                recent.add(try BotEvent(subject: message.subject, payload: message.payload, kind: settings.kind))
            } catch {
                logger.warning(
                    "an event from before the first start can't be used",
                    metadata: ["subject": "\(message.subject)", "problem": "\(error)"]
                )
            }
        }
        for event in recent.effects.values { try await takeOver(event) }
        logger.info(
            "took over events from before the first start",
            metadata: [
                "stream": "\(settings.stream)", "events": "\(messages.count)", "bots": "\(recent.effects.count)",
                "span": "\(settings.takeover)",
            ]
        )
    }

    private func takeOver(_ event: BotEvent) async throws(NATSError) {
        do throws(StoreError) { try await worker.write(event) } catch {
            guard !error.isRetryable else {
                throw NATSError(.unavailable, "events from before the first start: \(error)", cause: error)
            }
            logger.error(
                "event given up",
                metadata: ["bot": "\(event.id)", "problem": "the store refuses it: \(error)"]
            )
        }
    }
}

/// A message as a stream holds it.
struct StoredMessage: Sendable {
    let subject: String
    let payload: [UInt8]
}

extension Link {
    /// The messages of a stream up to one of them and not before a time, oldest first.
    /// - Parameters:
    ///   - cutoff: nanoseconds since 1970.
    ///   - most: how many at most; older ones are left out.
    func recentMessages(
        of stream: String,
        upTo last: UInt64,
        since cutoff: Int64,
        most: Int
    ) async throws(NATSError) -> [StoredMessage] {
        var newestFirst: [StoredMessage] = []
        var next = last
        while next > 0, newestFirst.count < most {
            // Some at a time: a cancellation needn't wait for all of them.
            let page = try await page(of: stream, downFrom: next, since: cutoff)
            newestFirst += page.messages
            next = page.next
            guard !Task.isCancelled else { throw NATSError(.unavailable, "NATS: reading \(stream): cancelled") }
        }
        return newestFirst.prefix(most).reversed()
    }

    private func page(
        of stream: String,
        downFrom last: UInt64,
        since cutoff: Int64
    ) async throws(NATSError) -> (messages: [StoredMessage], next: UInt64) {
        let what = "reading the last messages of \(stream)"
        return try await withJetStream(what) { context, servers throws(NATSError) in
            var messages: [StoredMessage] = []
            var next = last
            while next > 0, last - next < 64 {
                var message: OpaquePointer?
                var error = jsErrCode(0)
                let status = js_GetMsg(&message, context, stream, next, nil, &error)
                defer { natsMsg_Destroy(message) }
                next -= 1
                // Removed, by age or by hand.
                if error == JSNoMessageFoundErr || status == NATS_NOT_FOUND { continue }
                guard status == NATS_OK, let message else {
                    throw NATSError(status, error, what, detail: lastDetail(servers))
                }
                guard natsMsg_GetTime(message) >= cutoff else { return (messages, 0) }
                let size = Int(natsMsg_GetDataLength(message))
                messages.append(
                    StoredMessage(
                        subject: natsMsg_GetSubject(message).map { String(cString: $0) } ?? "",
                        payload: Array(UnsafeRawBufferPointer(start: natsMsg_GetData(message), count: size))
                    )
                )
            }
            return (messages, next)
        }
    }
}
