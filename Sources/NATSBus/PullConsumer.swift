import CNats

/// A consumer of a stream that is asked for one message at a time.
///
/// Asking, rather than being sent, nearly always tells at once when the consumer is gone: an open request is answered with
/// a status. (One that comes just after the consumer was deleted isn't answered at all; the session's poll notices.)
struct PullConsumer {
    /// How long the server keeps a request, in nanoseconds. It is then asked again: a request that was lost with a
    /// server costs no more than this.
    static let expiry: Int64 = 20_000_000_000

    let subscription: Subscription
    private let plan: ConsumerPlan
    private let inbox: String
    private var requests = 0
    private var deadline: ContinuousClock.Instant?

    init(_ link: Link, _ plan: ConsumerPlan, maxPayload: Int, into inputs: Inputs) async throws(NATSError) {
        self.plan = plan
        let inbox = try newInbox()
        self.inbox = inbox
        subscription = try await Subscription.open(link, "\(inbox).*", maxPayload: maxPayload, into: inputs)
    }

    /// Asks for a message unless that was done and is still open.
    mutating func request(_ link: Link) async throws(NATSError) {
        let now = ContinuousClock.now
        if let deadline, now < deadline { return }
        requests += 1
        let subject = "$JS.API.CONSUMER.MSG.NEXT.\(plan.stream).\(plan.durable)"
        let (reply, payload) = ("\(inbox).\(requests)", Array(#"{"batch":1,"expires":\#(Self.expiry)}"#.utf8))
        try await link.call { connection throws(NATSError) in
            try Link.send(connection, subject, reply: reply, payload)
        }
        deadline = now.advanced(by: .nanoseconds(Self.expiry) + .seconds(5))
    }

    /// To be told that a request was answered, or went with its connection.
    mutating func answered() { deadline = nil }

    /// Whether a status concerns the open request.
    func isAnswer(_ delivery: Delivery) -> Bool { delivery.subject == "\(inbox).\(requests)" }
}

private func newInbox() throws(NATSError) -> String {
    var inbox: UnsafeMutablePointer<CChar>?
    try natsInbox_Create(&inbox).check("making an inbox")
    guard let inbox else { throw NATSError(NATS_NO_MEMORY, "making an inbox") }
    defer { natsInbox_Destroy(inbox) }
    return String(cString: inbox)
}
