import Synchronization

/// What a session waits for, in one bounded line.
enum Input: Sendable {
    case delivery(Delivery)
    /// The connection came, went or was closed: look at it.
    case connectionChanged
    /// Time has passed.
    case tick
}

/// A message as it came in, copied.
struct Delivery: Sendable {
    enum Payload: Sendable {
        case bytes([UInt8])
        /// Larger than what is taken in; only its size is known.
        case oversized
    }

    /// The subscription it came through.
    let subscription: Int
    let subject: String
    let reply: String?
    /// The status line of a message that carries one instead of content, as `404`.
    let status: Int?
    let size: Int
    let payload: Payload
}

/// The line: what doesn't fit is dropped and counted.
final class Inputs: Sendable {
    /// The most bytes that wait.
    static let byteLimit = 16 * 1024 * 1024

    let stream: AsyncStream<Input>
    private let continuation: AsyncStream<Input>.Continuation
    private let waitingBytes = Atomic<Int>(0)
    private let droppedCount = Atomic<Int>(0)

    init(capacity: Int) {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(max(16, capacity)))
    }

    /// How many messages were dropped so far.
    var dropped: Int { droppedCount.load(ordering: .relaxed) }

    /// Whether the message was taken.
    func add(_ delivery: Delivery) -> Bool {
        let bytes = Self.bytes(of: delivery)
        let waiting = waitingBytes.add(bytes, ordering: .relaxed).newValue
        if waiting <= Self.byteLimit, case .enqueued = continuation.yield(.delivery(delivery)) { return true }
        waitingBytes.subtract(bytes, ordering: .relaxed)
        droppedCount.add(1, ordering: .relaxed)
        return false
    }

    /// A signal that doesn't fit isn't missed: whoever takes what is before it looks around then anyway.
    func signal(_ input: Input) { continuation.yield(input) }

    /// To be told of each message taken out.
    func took(_ delivery: Delivery) { waitingBytes.subtract(Self.bytes(of: delivery), ordering: .relaxed) }

    private static func bytes(of delivery: Delivery) -> Int {
        if case .bytes(let bytes) = delivery.payload { bytes.count } else { 0 }
    }
}
