import Model
import Runtime
import Util

/// The next step for one run: worked out from its record and what is seen of it, without any effect.
enum RunStep: Sendable, Hashable {
    /// Start it.
    case start
    /// Write this in the place of the record, and look again.
    case note(RunRecord)
    /// End what runs, and look again.
    case stop(ObservedRun)
    /// Remove what stands there, and look again.
    case remove(ObservedRun)
    /// Take the result out of what has ended, and store it.
    case settle(ObservedRun)
    /// Look again after a time, or when something happens.
    case wait(Duration)
    /// Nothing is left to do.
    case nothing
}

/// What is known of a run.
struct RunView: Sendable {
    var record: RunRecord
    /// What the platform has under its slot; nil when a full reading has nothing.
    var observed: ObservedRun?
    /// The schedule's other runs that have not ended.
    var others: [RunRecord] = []
    /// The wall clock.
    var now: Timestamp
    /// For how long this process has seen the record unchanged.
    var unchanged: Duration = .zero
    /// How long it has run, by a clock that nobody sets.
    var running: Duration = .zero
    /// For how long this process has seen nothing of it on the platform.
    var missing: Duration = .zero
    /// This scheduler process.
    var owner: String
    /// Where this scheduler starts runs.
    var platform: String
}

/// How patiently a scheduler treats what others have under way.
struct RunPatience: Sendable, Hashable {
    /// How long a claim of another scheduler is left to it.
    var claim: Duration = .seconds(10)
    /// How long a start of another scheduler is left to it. Longer than a start takes to be given up.
    var start: Duration = .seconds(90)
    /// How long after its deadline a claimed slot may still be started: it waited for its turn, or its scheduler died.
    var late: Duration = .seconds(300)
    /// How long something that vanished may be missing for the platform's list to lag.
    var lag: Duration = .seconds(5)
    /// How long the trace of a run that was taken over stays, in case its first scheduler goes on after all.
    var trace: Duration = .seconds(3600)
    /// After how long a run on another platform that nobody reports on is given up, beyond the time it may take.
    var silence: Duration = .seconds(600)
    /// The time a run without a limit may take before it counts as silent.
    var longest: Duration = .seconds(86_400)
}

extension RunView {
    /// Works out the next step.
    func step(_ patience: RunPatience) -> RunStep {
        if let observed, observed.attempt < record.attempt, observed.phase != .created || record.phase != .claimed {
            return leftover(observed)
        }
        return switch record.phase {
        case .claimed: claimed(patience)
        case .starting: starting(patience)
        case .running: runs(patience)
        case .ended: ended(patience)
        }
    }

    /// What an attempt before this one left says nothing of this one, wherever it is now.
    private func leftover(_ observed: ObservedRun) -> RunStep {
        switch observed.phase {
        // Somebody began it after it had been given up: it goes on to its end.
        case .running: .wait(.seconds(10))
        case .leaving: .wait(.seconds(1))
        case .created: .wait(.seconds(10))
        case .exited: .remove(observed)
        }
    }

    private func isTooLate(_ patience: RunPatience) -> Bool { now > record.startBy.advanced(by: patience.late) }

    private func claimed(_ patience: RunPatience) -> RunStep {
        // What was made and never started is replaced by a start, after that was announced: whoever reads this record while it
        // is being announced would else remove what is just being started.
        if let observed, observed.phase != .created {
            if observed.phase == .leaving { return .wait(.seconds(1)) }
            return .note(begun(observed))
        }
        if record.stop == .replaced { return .note(over(.skipped, "its successor was due before it could be started")) }
        if now < record.notBefore { return .wait(record.notBefore.duration(since: now)) }
        let blocker = others.filter(isInTheWay).min { $0.slot < $1.slot }
        let isPinned = record.platform != nil && record.platform != platform
        if isTooLate(patience) {
            guard !isPinned else { return .note(over(.lost, "whoever began to start it elsewhere didn't come back")) }
            let reason =
                blocker.map { "the run for \(SlotPlan.text($0.slot)) was still going" }
                ?? "it couldn't be started by \(record.startBy.advanced(by: patience.late))"
            return .note(over(.skipped, reason))
        }
        if blocker != nil { return .wait(.seconds(5)) }
        // A start on another platform was taken over there, and may still be under way.
        if isPinned { return .wait(.seconds(30)) }
        // A run that somebody asked for is nobody's yet.
        if !record.owner.isEmpty, record.owner != owner, unchanged < patience.claim {
            return .wait(patience.claim - unchanged)
        }
        return .start
    }

    /// Whether another run has to be over before this one may start.
    func isInTheWay(_ other: RunRecord) -> Bool {
        guard record.isExclusive || other.isExclusive else { return false }
        switch other.phase {
        case .claimed: return other.slot < record.slot
        case .starting, .running: return true
        case .ended: return false
        }
    }

    private func starting(_ patience: RunPatience) -> RunStep {
        let isOurs = record.owner == owner
        if let observed, observed.attempt >= record.attempt {
            switch observed.phase {
            case .running, .exited: return .note(begun(observed))
            case .leaving: return .wait(.seconds(1))
            case .created: break
            }
        }
        guard record.platform == platform else {
            guard isTooLate(patience), unchanged >= patience.start else { return .wait(.seconds(30)) }
            return .note(over(.lost, "whoever began to start it elsewhere didn't come back"))
        }
        guard isOurs || unchanged >= patience.start else { return .wait(patience.start - unchanged) }
        // The platform was read in full: it hasn't been started, and its name keeps a late start from being a second one.
        guard !isTooLate(patience) else {
            return .note(over(.notStarted, "whoever began to start it didn't come back in time"))
        }
        return .note(
            record.next { run in
                run.phase = .claimed
                // Whoever began it may go on after all: only where its name is taken then, it may be started again.
                if !isOurs { run.takeovers += 1 }
                if run.takeovers == 0 { run.platform = nil }
                run.owner = owner
            }
        )
    }

    private func runs(_ patience: RunPatience) -> RunStep {
        guard let observed else { return vanished(patience) }
        switch observed.phase {
        case .running:
            if record.stop != nil { return .stop(observed) }
            guard record.timeout > 0 else { return .wait(.seconds(3600)) }
            let left = Duration.seconds(record.timeout) - running
            return left > .zero ? .wait(left) : .note(record.next { $0.stop = .timeout })
        case .exited(let exit): return .note(finished(exit))
        case .created, .leaving: return .wait(.seconds(1))
        }
    }

    private func vanished(_ patience: RunPatience) -> RunStep {
        if record.platform == platform {
            guard missing >= patience.lag else { return .wait(patience.lag - missing) }
            return .note(over(.lost, "what ran was removed by somebody else"))
        }
        let limit = record.timeout > 0 ? Duration.seconds(record.timeout) : patience.longest
        let end = (record.startedAt ?? record.claimedAt).advanced(by: limit + patience.silence)
        guard now > end, unchanged >= patience.start else { return .wait(.seconds(60)) }
        return .note(over(.lost, "its scheduler, elsewhere, didn't report its end"))
    }

    private func ended(_ patience: RunPatience) -> RunStep {
        guard let observed else { return .nothing }
        switch observed.phase {
        // It began after it had been given up: it goes on to its end, for as long as it may take.
        case .running:
            guard record.timeout > 0 else { return .wait(.seconds(10)) }
            let left = Duration.seconds(record.timeout) - running
            return left > .zero ? .wait(min(left, .seconds(10))) : .stop(observed)
        case .leaving: return .wait(.seconds(1))
        case .exited, .created: break
        }
        if record.result == nil { return .settle(observed) }
        if record.takeovers > 0, let end = record.endedAt {
            let left = end.advanced(by: patience.trace).duration(since: now)
            if left > .zero { return .wait(left) }
        }
        return .remove(observed)
    }

    /// The record once it is seen that the run began.
    private func begun(_ observed: ObservedRun) -> RunRecord {
        record.next { run in
            run.phase = .running
            run.owner = owner
            run.platform = platform
            run.startedAt = observed.exit?.startedAt ?? observed.runningSince ?? now
        }
    }

    /// The record once the run is over without having come to an end of its own.
    func over(_ outcome: RunRecord.Outcome, _ reason: String) -> RunRecord {
        record.next { run in
            run.phase = .ended
            run.owner = owner
            run.endedAt = now
            run.outcome = outcome
            // Not that nothing was started, if an attempt failed before.
            if run.attempt > 0, outcome == .skipped || outcome == .notStarted {
                run.outcome = run.stop == .replaced ? .replaced : .failed
                run.retries = run.attempt
            }
            run.reason = reason
            if observed == nil { run.result = RunRecord.Result.none }
        }
    }

    /// The record once the run has come to its end: over, or due for a further attempt.
    private func finished(_ exit: Exit) -> RunRecord {
        record.next { run in
            run.owner = owner
            run.exitCode = exit.code
            run.startedAt = exit.startedAt
            run.endedAt = exit.finishedAt
            run.reason = exit.platformError
            run.outcome =
                switch record.stop {
                case .timeout: .timedOut
                case .replaced: .replaced
                case .shutdown: .stopped
                case nil: exit.outOfMemory ? .outOfMemory : exit.code == 0 ? .succeeded : .failed
                }
            run.phase = .ended
        }
    }
}

extension RunRecord {
    /// Whether a further attempt follows this end.
    var isTriedAgain: Bool {
        guard attempt < retries, stop == nil || stop == .timeout else { return false }
        switch outcome {
        case .failed, .outOfMemory, .timedOut: return true
        default: return false
        }
    }

    /// The next attempt of a run that failed.
    func nextAttempt(at now: Timestamp, after delay: Duration) -> RunRecord {
        var run = self
        run.phase = .claimed
        run.attempt += 1
        if takeovers == 0 { run.platform = nil }
        run.notBefore = now.advanced(by: delay)
        run.startBy = max(startBy, run.notBefore.advanced(by: .seconds(60)))
        run.stop = nil
        run.outcome = nil
        run.reason = ""
        return run
    }
}
