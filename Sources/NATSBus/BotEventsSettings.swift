/// Where events of bots come from, and how patiently.
public struct BotEventsSettings: Sendable {
    /// The stream that keeps the events, where there is one.
    public var stream = "THE0_EVENTS"
    /// Whose events are listened to.
    public let kind: BotEventKind
    /// The durable consumer of that stream, shared by all runners.
    public var durable: String
    /// The queue group in which runners share events where there is no stream.
    public var queue = "runtime"
    /// How often to look for a stream that isn't there, and whether one that is still is.
    public var streamPoll: Duration = .seconds(10)
    /// How long to wait for a stream that has vanished, since the API deletes and makes it anew when it starts.
    public var streamGrace: Duration = .seconds(5)
    /// How long a runner may take for one event before another gets it.
    public var ackWait: Duration = .seconds(30)
    /// From how far back events count when a database that has bots meets its first consumer: as long as putting another
    /// runtime in the place of version 1.2.0 takes. An event from before was worked off by that one, and the database may
    /// have been changed since by somebody else.
    public var takeover: Duration = .seconds(600)
    /// The largest payload in bytes.
    public var maxPayload = 1024 * 1024
    /// The most events that wait in memory.
    public var maxWaiting = 4096
    /// How often a write that the store refuses is tried before the event is given up, so that it doesn't hold up all
    /// others. A store that can't be reached is tried for ever.
    public var refusedAttempts = 5

    /// The settings of the platform.
    public init(_ kind: BotEventKind = .bot) {
        self.kind = kind
        durable =
            switch kind {
            case .bot: "runtime-bots"
            case .schedule: "runtime-schedules"
            }
    }

    var positionKey: PositionKey { PositionKey(stream: stream, durable: durable) }

    var consumer: ConsumerPlan {
        ConsumerPlan(stream: stream, durable: durable, filter: "\(kind.prefix)*", ackWait: ackWait)
    }
}

/// How many events there were since the start.
public struct BotEventCounts: Sendable, Hashable {
    /// Events written to the store.
    public var applied = 0
    /// Events that could not be used, or that the store refused.
    public var rejected = 0
    /// Events lost because too many waited.
    public var dropped = 0
}
