public import Model
public import Util

/// One run of a schedule, from the claim of its slot to its end.
///
/// Whoever changes it puts the next revision in the place of the one it read, so that of two who would go on with a run one
/// finds out that it isn't his.
public struct RunRecord: Sendable, Hashable {
    /// How far a run is. It only goes forward, except that a further attempt begins as `claimed` again.
    public enum Phase: String, Sendable, Hashable, CaseIterable {
        /// Its slot is taken; nothing has been started yet, which is certain.
        case claimed
        /// It is being started: from here on there may be a trace of it.
        case starting
        /// It runs.
        case running
        /// It is over.
        case ended
    }

    /// What became of a run.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// It ended with exit code 0.
        case succeeded
        /// It ended with another exit code.
        case failed
        /// It was killed for want of memory.
        case outOfMemory = "out-of-memory"
        /// It took longer than it may and was stopped.
        case timedOut = "timed-out"
        /// It was stopped for its successor.
        case replaced
        /// It was stopped with its scheduler, which was told to.
        case stopped
        /// It couldn't be started.
        case notStarted = "not-started"
        /// Its slot was passed over by the schedule's policy; nothing was started.
        case skipped
        /// Whether it ran isn't known: whoever began to start it didn't come back.
        case lost
    }

    /// Why a run that still goes is to be stopped.
    public enum Stop: String, Sendable, Hashable, CaseIterable {
        /// It takes longer than it may.
        case timeout
        /// Its successor is due.
        case replaced
        /// Its scheduler ends and was told to take its runs along.
        case shutdown
    }

    /// What has become of the result file.
    public enum Result: String, Sendable, Hashable, CaseIterable {
        /// It is in the object store.
        case stored
        /// The run left none.
        case none
        /// It can't be had or stored; ``RunRecord/reason`` says why.
        case lost
        /// A newer run's result is there already.
        case superseded
    }

    /// The schedule.
    public var id: BotID
    /// What it is for.
    public var slot: Slot
    /// The most changes a record may have had: far more than happen, and there is always a next one.
    static let mostRevisions: Int64 = 1 << 53

    /// 1 when it was added, one more with every change.
    public var revision: Int64 = 1
    /// How far it is.
    public var phase: Phase
    /// Which scheduler process did the last step: a random text; empty for a run that somebody asked for and no scheduler has
    /// taken up.
    public var owner: String
    /// Where it is started or runs; nil before.
    public var platform: String?
    /// How many attempts went before.
    public var attempt = 0
    /// How many further attempts there may be after one that failed.
    public var retries = 0
    /// Whether no other run of its schedule may go beside it.
    public var isExclusive = true
    /// How often another scheduler went on with a start that nobody came back to.
    public var takeovers = 0
    /// How long it may take in seconds; 0 for any time.
    public var timeout: Int64 = 0
    /// When its slot was claimed.
    public var claimedAt: Timestamp
    /// Not to be started before: the slot and its jitter, or the end of an attempt and its backoff.
    public var notBefore: Timestamp
    /// Not to be started after.
    public var startBy: Timestamp
    /// When its program was started.
    public var startedAt: Timestamp?
    /// When it ended.
    public var endedAt: Timestamp?
    /// Why it is to be stopped.
    public var stop: Stop?
    /// What became of it; nil until it has ended.
    public var outcome: Outcome?
    /// What its program ended with.
    public var exitCode: Int?
    /// Why it was skipped, not started or lost; empty otherwise. No value of a config.
    public var reason = ""
    /// What has become of the result file; nil until that is settled.
    public var result: Result?

    /// What names it.
    public var key: RunKey { RunKey(id, slot) }

    /// A run whose slot is being claimed.
    public init(
        id: BotID,
        slot: Slot,
        owner: String,
        claimedAt: Timestamp,
        notBefore: Timestamp,
        startBy: Timestamp
    ) {
        self.id = id
        self.slot = slot
        self.owner = owner
        self.claimedAt = claimedAt
        self.notBefore = notBefore
        self.startBy = startBy
        phase = .claimed
    }

    /// A slot that was passed over.
    public static func skipped(_ id: BotID, _ slot: Slot, owner: String, at time: Timestamp, reason: String)
        -> RunRecord
    {
        var run = RunRecord(id: id, slot: slot, owner: owner, claimedAt: time, notBefore: time, startBy: time)
        run.phase = .ended
        run.endedAt = time
        run.outcome = .skipped
        run.result = Result.none
        run.reason = reason
        return run
    }

    /// The record that comes in the place of this one.
    public func next(_ change: (inout RunRecord) -> Void) -> RunRecord {
        var next = self
        change(&next)
        next.revision = revision &+ 1
        return next
    }
}
