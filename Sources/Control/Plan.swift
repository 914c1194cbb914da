public import Model
public import Runtime
public import Util

/// What to do for one bot now: worked out from what is desired and what is observed, without any effect.
public struct Plan: Sendable, Hashable {
    /// What to do, in this order; when one fails, those after it are not done.
    public var actions: [Action]
    /// What the bot is, in a word and a reason.
    public var status: BotStatus
    /// When to look again although nothing happens; nil when only an event changes anything.
    public var recheckAt: Timestamp?

    /// The specification that a step starts, or updates a run to, if one does.
    var start: LaunchSpec? {
        for action in actions {
            switch action {
            case .start(let spec, _), .update(_, let spec): return spec
            case .remove: continue
            }
        }
        return nil
    }

    /// A plan of these parts.
    public init(actions: [Action] = [], status: BotStatus, recheckAt: Timestamp? = nil) {
        self.actions = actions
        self.status = status
        self.recheckAt = recheckAt
    }
}

/// One step of a plan.
public enum Action: Sendable, Hashable {
    /// Start the bot.
    case start(LaunchSpec, attempt: Int)
    /// Make a run what the specification asks for, without ending it.
    case update(ObservedRun, LaunchSpec)
    /// End a run if need be, and remove it.
    case remove(ObservedRun, RemovalReason)
}

/// Why a run is removed.
public enum RemovalReason: String, Sendable, Hashable {
    /// Its bot is switched off.
    case disabled
    /// There is no such bot any more.
    case deleted
    /// Its bot has changed.
    case changed
    /// Another run of the same bot stays.
    case duplicate
    /// It has ended, and the next one is due.
    case ended
    /// Its start was interrupted.
    case interrupted
}

/// What a bot is, for people and for metrics.
public enum BotStatus: Sendable, Hashable {
    /// It runs as it should.
    case running(since: Timestamp)
    /// It is being started.
    case starting
    /// It ended by itself and is started again at the given time.
    case backingOff(until: Timestamp, after: Exit, attempt: Int)
    /// Starting it failed, and is tried again at the given time.
    case startFailed(until: Timestamp, reason: String)
    /// What runs is being replaced because the bot changed.
    case replacing
    /// It is being stopped.
    case stopping
    /// It doesn't run, as it should not.
    case stopped
    /// Its document can't be used; what runs is left as it is.
    case invalid(DocumentError, isRunning: Bool)

    /// The status in one word.
    public var name: String {
        switch self {
        case .running: "running"
        case .starting: "starting"
        case .backingOff: "backing-off"
        case .startFailed: "start-failed"
        case .replacing: "replacing"
        case .stopping: "stopping"
        case .stopped: "stopped"
        case .invalid: "invalid"
        }
    }
}

/// A start that failed and left nothing behind.
public struct StartFailure: Sendable, Hashable {
    /// The specification it was for.
    public var hash: String
    /// How many starts of it have failed since one succeeded.
    public var count: Int
    /// When the last one failed.
    public var at: Timestamp
    /// Why.
    public var reason: String
    /// Whether the same may succeed later without a change.
    public var isRetryable: Bool

    /// A failed start.
    public init(hash: String, count: Int, at: Timestamp, reason: String, isRetryable: Bool = true) {
        self.hash = hash
        self.count = count
        self.at = at
        self.reason = reason
        self.isRetryable = isRetryable
    }
}

extension Plan {
    /// Works out what to do for one bot.
    ///
    /// At most one run stays: a new one is only started after every other is known to be gone, since actions are done in order
    /// and the rest is dropped when one fails.
    /// - Parameters:
    ///   - desired: what should be.
    ///   - observed: every run that exists for the bot.
    ///   - failure: the last failed start, while none succeeded since.
    ///   - updatesInPlace: whether a run can be changed without being ended (`RunUpdating`).
    ///   - now: the time.
    public init(
        desired: Desired,
        observed: [ObservedRun],
        failure: StartFailure? = nil,
        updatesInPlace: Bool = false,
        now: Timestamp
    ) {
        switch desired {
        case .unknown(let error):
            let isRunning = observed.contains { $0.isRunning }
            self.init(status: .invalid(error, isRunning: isRunning))
        case .disabled:
            self.init(removing: observed, because: .disabled)
        case .absent:
            self.init(removing: observed, because: .deleted)
        case .running(let spec, let policy):
            self.init(
                spec: spec,
                policy: policy,
                observed: observed,
                failure: failure,
                updatesInPlace: updatesInPlace,
                now: now
            )
        }
    }

    private init(removing observed: [ObservedRun], because reason: RemovalReason) {
        self.init(
            actions: observed.removals(because: reason),
            status: observed.contains { $0.isRunning } ? .stopping : .stopped
        )
    }

    private init(
        spec: LaunchSpec,
        policy: RestartPolicy,
        observed: [ObservedRun],
        failure: StartFailure?,
        updatesInPlace: Bool,
        now: Timestamp
    ) {
        let running = observed.filter(\.isRunning)
        if let keeper = running.filter({ $0.matches(spec) }).min(by: ObservedRun.isOlder),
            let since = keeper.runningSince
        {
            let others = observed.filter { $0.reference != keeper.reference }
            self.init(
                actions: others.removals(because: .duplicate),
                status: .running(since: since)
            )
            return
        }
        let blocked = failure.flatMap { failure -> (due: Timestamp, reason: String)? in
            guard failure.hash == spec.hash else { return nil }
            let due = failure.at.advanced(by: policy.delay(after: failure, id: spec.id))
            return due > now ? (due, failure.reason) : nil
        }
        if !running.isEmpty {
            if let blocked {
                // What runs goes on, with its old settings, until its successor can be started.
                self.init(status: .startFailed(until: blocked.due, reason: blocked.reason), recheckAt: blocked.due)
            } else if updatesInPlace, let keeper = running.min(by: ObservedRun.isOlder) {
                let others = observed.filter { $0.reference != keeper.reference }
                self.init(
                    actions: others.removals(because: .duplicate) + [.update(keeper, spec)],
                    status: .replacing
                )
            } else {
                self.init(
                    actions: observed.removals(because: .changed) + [.start(spec, attempt: 0)],
                    status: .replacing
                )
            }
            return
        }
        if observed.contains(where: { $0.phase == .leaving }) {
            self.init(status: .replacing, recheckAt: now.advanced(by: .seconds(1)))
            return
        }
        let ended = observed.compactMap { run in run.exit.map { (run: run, exit: $0) } }
        let last = ended.max { ($0.exit.finishedAt, $0.run.reference) < ($1.exit.finishedAt, $1.run.reference) }
        var attempt = 0
        if let last, last.run.matches(spec) {
            let next = policy.next(after: last.exit, attempt: last.run.attempt, id: spec.id, now: now)
            attempt = next.attempt
            if next.due > now {
                let older = observed.filter { $0.reference != last.run.reference }
                self.init(
                    actions: older.removals(because: .ended),
                    status: .backingOff(until: next.due, after: last.exit, attempt: attempt),
                    recheckAt: next.due
                )
                return
            }
        }
        if let blocked {
            // What is left of the last run stays, with its exit code and last lines, until the next start can be tried.
            self.init(status: .startFailed(until: blocked.due, reason: blocked.reason), recheckAt: blocked.due)
            return
        }
        // What ended goes only after its successor has started: a start that fails leaves the exit code and last lines there.
        self.init(
            actions: [.start(spec, attempt: attempt)] + observed.removals(because: .ended),
            status: .starting
        )
    }
}

extension ObservedRun {
    fileprivate static func isOlder(_ left: ObservedRun, _ right: ObservedRun) -> Bool {
        (left.createdAt, left.reference) < (right.createdAt, right.reference)
    }
}

extension [ObservedRun] {
    /// Removals for all of them, the interrupted starts named as such.
    fileprivate func removals(because reason: RemovalReason) -> [Action] {
        map { run in .remove(run, run.phase == .created ? .interrupted : reason) }
    }
}
