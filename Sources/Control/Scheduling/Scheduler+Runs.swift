import Logging
import Model
import Runtime
import Synchronization
import Util

/// From claimed runs to their ends.
extension Scheduler {
    /// Looks at everything that runs or should.
    func lookAtRuns() async {
        do {
            let observed = try await runner.runs(of: .scheduled)
            let platform = try await runner.platform()
            let records = try await runs.unfinished(of: nil)
            options.onObserved(nil, observed)
            memory.withLock { memory in
                memory.platform = platform
                memory.errors[.runs] = nil
                let keys = Set(records.map(\.key)).union(observed.compactMap(\.key))
                for key in Array(memory.sights.keys) where !keys.contains(key) { memory.forget(key) }
            }
            await sort(records, observed, platform)
            queue.add(.runs, after: options.interval)
        } catch {
            failed(.runs, "runs not looked at, nothing was changed", error)
        }
    }

    /// Looks at everything of one schedule that runs or should.
    func lookAtRuns(of id: BotID) async {
        guard let platform = memory.withLock({ $0.platform }) else { return }
        do {
            let observed = try await runner.runs(of: .scheduled, id: id)
            let records = try await runs.unfinished(of: [id])
            options.onObserved(id, observed)
            memory.withLock { $0.errors[.runsOf(id)] = nil }
            await sort(records, observed, platform)
        } catch {
            failed(.runsOf(id), "runs of \(id.text.escapedForMessage) not looked at", error)
        }
    }

    /// Queues the runs for which something is to be done, now or later.
    private func sort(_ records: [RunRecord], _ observed: [ObservedRun], _ platform: String) async {
        let seen = Dictionary(observed.compactMap { run in run.key.map { ($0, run) } }) { first, _ in first }
        let others = Dictionary(grouping: records, by: \.id)
        var keys = Set(seen.keys)
        for record in records {
            keys.remove(record.key)
            let view = view(record, seen[record.key], others[record.id] ?? [], platform)
            switch view.step(options.patience) {
            case .wait(let delay): queue.add(.run(record.key), after: delay)
            case .nothing: break
            default: queue.add(.run(record.key))
            }
        }
        // What the platform has and no unfinished record tells of.
        for key in keys.sorted(by: { $0.slot < $1.slot }) { queue.add(.run(key)) }
    }

    private func view(
        _ record: RunRecord,
        _ observed: ObservedRun?,
        _ unfinished: [RunRecord],
        _ platform: String
    ) -> RunView {
        let now = clock.now
        let sight = memory.withLock { $0.see(record, observed, now: now, at: clock.steady) }
        return RunView(
            record: record,
            observed: observed,
            others: unfinished.filter { $0.slot != record.slot },
            now: now,
            unchanged: sight.unchanged,
            running: sight.running,
            missing: sight.missing,
            owner: owner,
            platform: platform
        )
    }

    /// Looks at one run and does the next step.
    func look(at key: RunKey) async -> NextLook {
        guard let platform = memory.withLock({ $0.platform }) else { return .after(.seconds(1)) }
        do {
            let next = try await step(key, platform)
            if next != .again { memory.withLock { $0.errors[.run(key)] = nil } }
            return next
        } catch {
            guard !Task.isCancelled else { return .done }
            let count = memory.withLock { memory in
                memory.errors[.run(key), default: 0] += 1
                return memory.errors[.run(key), default: 1]
            }
            let delay = options.retry.delay(attempt: count, seed: "\(key.id.text) \(key.slot)")
            logger.log(
                level: count == 1 ? .warning : .debug,
                "run left as it is for now",
                metadata: [
                    "schedule": "\(key.id)", "slot": "\(SlotPlan.text(key.slot))", "error": "\(error)",
                    "next_try_in": "\(GoDuration.string(delay))",
                ]
            )
            return .after(delay)
        }
    }

    private func step(_ key: RunKey, _ platform: String) async throws -> NextLook {
        // Claimed a moment ago: nobody else can have gone on with it, and its settings are fresh.
        if let fresh = memory.withLock({ $0.fresh.removeValue(forKey: key) }) {
            let now = clock.now
            if fresh.record.notBefore > now {
                memory.withLock { $0.fresh[key] = fresh }
                return .after(fresh.record.notBefore.duration(since: now))
            }
            let isRecent = clock.steady - fresh.readAt < .seconds(2)
            return try await start(fresh.record, isRecent ? fresh.schedule : nil, platform)
        }
        guard let record = try await runs.runs([key]).first else { return try await stranger(key) }
        let observed = try await runner.runs(of: .scheduled, id: key.id).first { $0.key == key }
        let needsOthers = record.phase == .claimed
        let unfinished = needsOthers ? try await runs.unfinished(of: [key.id]) : []
        let view = view(record, observed, unfinished, platform)
        switch view.step(options.patience) {
        case .start: return try await start(record, nil, platform)
        case .note(let next): return try await note(next, after: record)
        case .stop(let run):
            try await runner.stop(run)
            return .again
        case .remove(let run):
            try await runner.remove(run)
            if record.phase == .ended { try await runs.trim(key.id, keeping: options.history) }
            return .again
        case .settle(let run): return try await settle(record, run)
        case .wait(let delay): return .after(delay)
        case .nothing:
            memory.withLock { $0.forget(key) }
            return .done
        }
    }

    /// Writes the next record, and does what follows for others.
    private func note(_ next: RunRecord, after record: RunRecord) async throws -> NextLook {
        var next = next
        if record.phase == .starting, next.phase == .claimed { next = afterFailedStart(next) }
        if next.isTriedAgain, next.phase == .ended {
            let delay = await backoff(of: next)
            log(next)
            next = next.nextAttempt(at: clock.now, after: delay)
        }
        guard try await runs.replace(next) else { return .again }
        if next.phase == .ended {
            log(next)
            // A slot, or a run, may be waiting for this end.
            due.wake(next.id, at: clock.now)
            queue.add(.runsOf(next.id))
            if next.outcome == .skipped { try await runs.trim(next.id, keeping: options.history) }
        }
        return .again
    }

    private func backoff(of run: RunRecord) async -> Duration {
        var backoff = SchedulePolicy.standardBackoff
        // Without its settings the usual delay does.
        if case .schedule(let schedule)? = try? await schedules.schedules([run.id]).first,
            let policy = try? SchedulePolicy(config: schedule.bot.config, id: run.id)
        {
            backoff = policy.backoff
        }
        return backoff.delay(attempt: run.attempt + 1, seed: "\(run.id.text) \(run.slot)")
    }

    /// A start of ours left nothing on the platform: it is tried again after a while, or given up for good.
    private func afterFailedStart(_ claimed: RunRecord) -> RunRecord {
        guard let failure = memory.withLock({ $0.failures[claimed.key] }) else { return claimed }
        var next = claimed
        if failure.isRetryable {
            let delay = options.retry.delay(attempt: failure.count, seed: "\(claimed.id.text) \(claimed.slot)")
            next.notBefore = clock.now.advanced(by: delay)
        } else {
            next.phase = .ended
            next.outcome = .notStarted
            next.reason = failure.reason
            next.endedAt = clock.now
            next.result = RunRecord.Result.none
        }
        return next
    }

    /// Something runs, or ran, for a slot that no record tells of. It isn't ours to judge: records may have been lost, and a run
    /// isn't stopped for that. What has ended goes after an hour.
    private func stranger(_ key: RunKey) async throws -> NextLook {
        guard let run = try await runner.runs(of: .scheduled, id: key.id).first(where: { $0.key == key }) else {
            memory.withLock { $0.forget(key) }
            return .done
        }
        if let exit = run.exit, clock.now.duration(since: exit.finishedAt) > options.patience.trace {
            try await runner.remove(run)
            return .again
        }
        let isNews = memory.withLock { $0.strangers.insert(run.reference).inserted }
        if isNews {
            logger.warning(
                "a run without a record: left to its end",
                metadata: ["schedule": "\(key.id)", "slot": "\(SlotPlan.text(key.slot))", "run": "\(run.reference)"]
            )
        }
        return .after(.seconds(60))
    }
}

extension ObservedRun {
    /// What names it among runs of schedules; nil for anything else.
    var key: RunKey? { slot.map { RunKey(id, $0) } }
}
