/// What the reply subject of a message from a consumer tells of it:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`, or with a domain and
/// an account before the stream and a token at the end (ADR-15 of the NATS architecture).
struct AckReply: Sendable, Hashable {
    let stream: String
    let consumer: String
    /// How often it was delivered, from 1.
    let delivered: Int
    /// Its number in the stream.
    let sequence: UInt64
    /// How many more messages wait for the consumer.
    let pending: UInt64

    /// Nil for a subject that is no such reply.
    init?(_ subject: String) {
        guard subject.hasPrefix("$JS.ACK.") else { return nil }
        let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
        let start: Int
        switch tokens.count {
        case 9: start = 2
        case 11...: start = 4
        default: return nil
        }
        guard let delivered = Int(tokens[start + 2]), let sequence = UInt64(tokens[start + 3]),
            let pending = UInt64(tokens[start + 6])
        else { return nil }
        stream = String(tokens[start])
        consumer = String(tokens[start + 1])
        self.delivered = delivered
        self.sequence = sequence
        self.pending = pending
    }
}
