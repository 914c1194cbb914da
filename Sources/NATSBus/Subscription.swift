import CNats
import Synchronization

/// A subscription of a link, whose messages go into a session's line until it is ended.
///
/// Safety: the library's subscription may be used from any thread; `end` gives it back, once.
final class Subscription: @unchecked Sendable {
    /// What deliveries name it by.
    let id: Int
    private let link: Link
    private let receiver: Receiver
    private let pointer: OpaquePointer
    private let isEnded = Atomic<Bool>(false)

    /// Subscribes; the server has it after the next flush.
    static func open(
        _ link: Link,
        _ subject: String,
        queue: String? = nil,
        maxPayload: Int,
        into inputs: Inputs
    ) async throws(NATSError) -> Subscription {
        try await link.call { connection throws(NATSError) in
            try Subscription(link, connection, subject, queue, maxPayload, inputs)
        }
    }

    private init(
        _ link: Link,
        _ connection: OpaquePointer,
        _ subject: String,
        _ queue: String?,
        _ maxPayload: Int,
        _ inputs: Inputs
    ) throws(NATSError) {
        let receiver = Receiver(inputs, maxPayload: maxPayload)
        // Given back by `subscriptionEnded`, or here where there will be no callback.
        let context = Unmanaged.passRetained(receiver)
        var made: OpaquePointer?
        let status =
            if let queue {
                natsConnection_QueueSubscribe(&made, connection, subject, queue, messageArrived, context.toOpaque())
            } else {
                natsConnection_Subscribe(&made, connection, subject, messageArrived, context.toOpaque())
            }
        guard status == NATS_OK, let made else {
            context.release()
            throw NATSError(status, "subscribing to \(subject)", detail: lastDetail(link.state.servers))
        }
        let completion = natsSubscription_SetOnCompleteCB(made, subscriptionEnded, context.toOpaque())
        // The receiver never blocks, so little waits in the library; its own limit would be 64 MB.
        let limits = natsSubscription_SetPendingLimits(made, 65_536, Int32(Inputs.byteLimit))
        self.link = link
        self.receiver = receiver
        id = receiver.id
        pointer = made
        guard completion == NATS_OK, limits == NATS_OK else {
            // The context stays retained: without a completion nobody tells when the library has let go of it.
            natsSubscription_Destroy(made)
            isEnded.store(true, ordering: .relaxed)
            throw NATSError(completion == NATS_OK ? limits : completion, "subscribing to \(subject)")
        }
    }

    deinit {
        guard !isEnded.load(ordering: .relaxed) else { return }
        natsSubscription_Destroy(pointer)
    }

    /// How many messages the library has dropped because too many waited.
    var dropped: Int {
        var count: Int64 = 0
        return natsSubscription_GetDropped(pointer, &count) == NATS_OK ? Int(count) : 0
    }

    /// Ends it: what the server has sent by now still arrives in the line, and nothing after.
    func end() async {
        guard isEnded.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        let timeout = link.requestTimeout
        await link.onThread { [self] in
            // Draining asks the server for its last word: without a connection there is none.
            if link.state.isConnected, natsSubscription_DrainTimeout(pointer, timeout) == NATS_OK {
                _ = natsSubscription_WaitForDrainCompletion(pointer, timeout)
            }
            natsSubscription_Destroy(pointer)
        }
        await receiver.untilEnded()
    }
}

/// Takes the library's messages into a line.
final class Receiver: Sendable {
    private enum Ending {
        case open
        case awaited(CheckedContinuation<Void, Never>)
        case ended
    }

    private static let lastID = Atomic<Int>(0)

    let id = lastID.add(1, ordering: .relaxed).newValue
    private let inputs: Inputs
    private let maxPayload: Int
    private let ending = Mutex(Ending.open)

    init(_ inputs: Inputs, maxPayload: Int) {
        self.inputs = inputs
        self.maxPayload = maxPayload
    }

    /// Copies a message into the line.
    func take(_ message: OpaquePointer, _ connection: OpaquePointer?) {
        let reply = natsMsg_GetReply(message).map { String(cString: $0) }
        let size = Int(natsMsg_GetDataLength(message))
        var payload = Delivery.Payload.oversized
        if size <= maxPayload {
            payload = .bytes(Array(UnsafeRawBufferPointer(start: natsMsg_GetData(message), count: size)))
        }
        var header: UnsafePointer<CChar>?
        var status: Int?
        if natsMsgHeader_Get(message, "Status", &header) == NATS_OK, let header {
            status = Int(String(cString: header))
        }
        let delivery = Delivery(
            subscription: id,
            subject: natsMsg_GetSubject(message).map { String(cString: $0) } ?? "",
            reply: reply,
            status: status,
            size: size,
            payload: payload
        )
        guard !inputs.add(delivery), let connection, let reply, AckReply(reply) != nil else { return }
        // The line is full, or its reader gone: another runner may have it at once. Should this not arrive, the server
        // finds out by itself, later.
        natsConnection_PublishString(connection, reply, "-NAK")
    }

    func ended() {
        let waiter = ending.withLock { ending -> CheckedContinuation<Void, Never>? in
            defer { ending = .ended }
            guard case .awaited(let continuation) = ending else { return nil }
            return continuation
        }
        waiter?.resume()
    }

    func untilEnded() async {
        await withCheckedContinuation { continuation in
            let isEnded = ending.withLock { ending in
                if case .ended = ending { return true }
                ending = .awaited(continuation)
                return false
            }
            if isEnded { continuation.resume() }
        }
    }
}

// At file scope, so that they belong to no actor: the library calls them from a thread of the subscription's own.
// `subscriptionEnded` is the last call with the receiver, and gives it back.

private func messageArrived(
    _ connection: OpaquePointer?,
    _ subscription: OpaquePointer?,
    _ message: OpaquePointer?,
    _ context: UnsafeMutableRawPointer?
) {
    defer { natsMsg_Destroy(message) }
    guard let message, let context else { return }
    Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue().take(message, connection)
}

private func subscriptionEnded(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<Receiver>.fromOpaque(context).takeRetainedValue().ended()
}
