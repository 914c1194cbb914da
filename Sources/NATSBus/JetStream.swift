import CNats

/// A stream as it is now.
struct StreamSnapshot: Sendable, Hashable {
    /// When it was made, nanoseconds since 1970 by the server's clock: it tells a stream from an earlier one of its name.
    let created: Int64
    /// The number of its last message.
    let lastSequence: UInt64
}

/// A durable consumer as it is now.
struct ConsumerSnapshot: Sendable, Hashable {
    /// All messages up to this number are acknowledged.
    let acknowledged: UInt64
    /// Whether it is configured as this program makes it.
    let isAsMade: Bool
    /// Whether it is one that the server pushes to, which can't be changed.
    let isPush: Bool
}

/// Where a new consumer begins.
enum ConsumerStart: Sendable, Hashable {
    case all
    /// With what is published from now on.
    case new
    /// Behind a message of the stream.
    case after(UInt64)
}

/// The durable consumer that all runners share.
struct ConsumerPlan: Sendable, Hashable {
    var stream: String
    var durable: String
    var filter: String
    /// How long a runner may take for a message before another gets it.
    var ackWait: Duration

    fileprivate func withConfig<Result>(
        _ start: ConsumerStart?,
        _ body: (inout jsConsumerConfig) -> Result
    ) -> Result {
        durable.withCString { durable in
            filter.withCString { filter in
                var config = jsConsumerConfig()
                jsConsumerConfig_Init(&config)
                config.Durable = durable
                config.FilterSubject = filter
                config.AckPolicy = js_AckExplicit
                config.AckWait = ackWait.milliseconds * 1_000_000
                // Until it could be written: a store that is down for a day must not cost an event.
                config.MaxDeliver = -1
                // Order over all runners: the next event is only given out when the one before is settled.
                config.MaxAckPending = 1
                switch start {
                case nil: break
                case .all: config.DeliverPolicy = js_DeliverAll
                case .new: config.DeliverPolicy = js_DeliverNew
                case .after(let sequence):
                    config.DeliverPolicy = js_DeliverByStartSequence
                    config.OptStartSeq = sequence + 1
                }
                return body(&config)
            }
        }
    }

    fileprivate func isMet(by config: jsConsumerConfig) -> Bool {
        config.AckPolicy == js_AckExplicit && config.MaxAckPending == 1 && config.MaxDeliver < 1
            && config.AckWait == ackWait.milliseconds * 1_000_000
            && config.FilterSubject.map { String(cString: $0) } == filter
    }
}

extension Link {
    /// The stream; nil where there is none, or no JetStream at all.
    func stream(_ name: String) async throws(NATSError) -> StreamSnapshot? {
        try await jetStream("stream \(name)") { context in
            var info: UnsafeMutablePointer<jsStreamInfo>?
            var error = jsErrCode(0)
            let status = js_GetStreamInfo(&info, context, name, nil, &error)
            defer { jsStreamInfo_Destroy(info) }
            let snapshot = info.map {
                StreamSnapshot(created: $0.pointee.Created, lastSequence: $0.pointee.State.LastSeq)
            }
            return (status, error, snapshot)
        }
    }

    /// The consumer; nil where there is none.
    func consumer(_ plan: ConsumerPlan) async throws(NATSError) -> ConsumerSnapshot? {
        try await jetStream("consumer \(plan.durable) of \(plan.stream)") { context in
            var info: UnsafeMutablePointer<jsConsumerInfo>?
            var error = jsErrCode(0)
            let status = js_GetConsumerInfo(&info, context, plan.stream, plan.durable, nil, &error)
            defer { jsConsumerInfo_Destroy(info) }
            return (status, error, info.flatMap { Self.snapshot($0.pointee, plan) })
        }
    }

    /// Makes the consumer; one of the same name that another runner has just made is as good.
    func add(_ plan: ConsumerPlan, from start: ConsumerStart) async throws(NATSError) {
        let what = "making consumer \(plan.durable) of \(plan.stream)"
        let made: Bool? = try await jetStream(what) { context in
            var error = jsErrCode(0)
            let status = plan.withConfig(start) { js_AddConsumer(nil, context, plan.stream, &$0, nil, &error) }
            return (status, error, true)
        }
        guard made == nil else { return }
        throw NATSError(.notFound, "NATS: \(what): the stream isn't there")
    }

    /// Configures an existing consumer as this program makes it; where it begins stays as it is.
    func repair(_ plan: ConsumerPlan) async throws(NATSError) {
        let what = "changing consumer \(plan.durable) of \(plan.stream)"
        let changed: Bool? = try await jetStream(what) { context in
            var info: UnsafeMutablePointer<jsConsumerInfo>?
            var error = jsErrCode(0)
            var status = js_GetConsumerInfo(&info, context, plan.stream, plan.durable, nil, &error)
            defer { jsConsumerInfo_Destroy(info) }
            guard status == NATS_OK, let present = info?.pointee.Config?.pointee else { return (status, error, nil) }
            status = plan.withConfig(nil) { config in
                config.DeliverPolicy = present.DeliverPolicy
                config.OptStartSeq = present.OptStartSeq
                config.OptStartTime = present.OptStartTime
                return js_UpdateConsumer(nil, context, plan.stream, &config, nil, &error)
            }
            return (status, error, true)
        }
        guard changed == nil else { return }
        throw NATSError(.notFound, "NATS: \(what): it isn't there")
    }

    private static func snapshot(_ info: jsConsumerInfo, _ plan: ConsumerPlan) -> ConsumerSnapshot? {
        guard let config = info.Config?.pointee else { return nil }
        return ConsumerSnapshot(
            acknowledged: info.AckFloor.Stream,
            isAsMade: plan.isMet(by: config),
            isPush: config.DeliverSubject != nil
        )
    }

    /// Asks JetStream something; nil for what isn't there.
    private func jetStream<Value: Sendable>(
        _ what: String,
        _ body: @escaping @Sendable (OpaquePointer) -> (natsStatus, jsErrCode, Value?)
    ) async throws(NATSError) -> Value? {
        try await withJetStream(what) { context, servers throws(NATSError) in
            let (status, code, value) = body(context)
            guard status != NATS_OK else { return value }
            let error = NATSError(status, code, what, detail: lastDetail(servers))
            guard error.code != .notFound else { return nil }
            throw error
        }
    }

    /// Runs calls of JetStream, each bounded by the request timeout.
    func withJetStream<Value: Sendable>(
        _ what: String,
        _ body: @escaping @Sendable (OpaquePointer, Servers) throws(NATSError) -> Value
    ) async throws(NATSError) -> Value {
        let (timeout, servers) = (requestTimeout, state.servers)
        return try await call { connection throws(NATSError) in
            var options = jsOptions()
            jsOptions_Init(&options)
            options.Wait = timeout
            var context: OpaquePointer?
            try natsConnection_JetStream(&context, connection, &options).check(what)
            defer { jsCtx_Destroy(context) }
            guard let context else { throw NATSError(NATS_NO_MEMORY, what) }
            return try body(context, servers)
        }
    }
}
