/// How far the events of a stream were worked off.
struct StreamPosition: Sendable, Hashable {
    /// When that stream was made, which tells it from a later one of its name.
    var created: Int64
    /// The last message that was settled.
    var sequence: UInt64
}

/// What a watch knows over reconnections: where a consumer that must be made begins depends on it.
struct EventMemory {
    /// How far the stream's events were worked off, once there was a consumer.
    var position: StreamPosition?
    /// Whether this process has seen that there is no stream: one that appears later is younger than this process.
    var hasSeenAbsence = false
    /// The connection during which the stream wasn't there while we listened without it: whatever a stream that appears
    /// during the same connection holds was heard already.
    var coveredConnection: Int?
    /// Whether the position may be kept on the server; until it was refused once.
    var canSave = true
    /// How often in succession the stream couldn't be used, and why last.
    var streamFailures = 0
    var streamProblem: String?

    /// How many times longer to wait before the stream is looked at again: where the right to do so is missing, each look
    /// takes the time of a question that nobody answers, and events wait for it.
    var patience: Int { 1 << min(streamFailures, 5) }

    /// Where a consumer that doesn't exist begins; nil for the very first on a stream, where only the store can tell.
    ///
    /// Events are worked off in order, so replaying ends in the latest state; but until then the states of the past come
    /// back, and bots would be restarted with them. So nothing is replayed that was worked off, and nothing left out
    /// that wasn't.
    func start(streamCreated: Int64, connection: Int) -> ConsumerStart? {
        if coveredConnection == connection { return .new }
        if let position {
            // A stream made anew, as the API does when it starts, holds only what came after our last event.
            return position.created == streamCreated ? .after(position.sequence) : .all
        }
        return hasSeenAbsence ? .all : nil
    }
}
