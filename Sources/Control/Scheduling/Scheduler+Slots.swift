import Logging
import Model
import Synchronization
import Util

/// From schedules to claimed runs.
extension Scheduler {
    /// How many schedules are claimed for together.
    private static let batch = 1000

    /// Reads all schedules: puts cursors right, finds slots that are due, and says what is broken.
    func lookAtSchedules() async {
        let begin = clock.steady
        do throws(StoreError) {
            let stored = try await schedules.schedules()
            note(stored)
            let count = stored.count
            try await plan(stored)
            memory.withLock { memory in
                memory.errors[.schedules] = nil
                memory.sightings.saw(
                    Set(stored.compactMap(\.id)),
                    nameless: !memory.unnamed.isEmpty,
                    longestGap: options.leftoverAge / 2,
                    at: begin
                )
            }
            queue.add(.leftovers)
            let took = clock.steady - begin
            metrics.passed(count, silent: memory.withLock(\.silences.count), in: took)
            queue.add(.schedules, after: max(options.interval, took * 1000))
            options.onPass(.success(count))
        } catch {
            failed(.schedules, "schedules not read, nothing was changed", error)
            metrics.passFailed()
            options.onPass(.failure(ReconcileError(error)))
        }
    }

    /// Claims the slots that have come.
    func claimSlots() async {
        while true {
            let ids = due.take(upTo: clock.now, limit: Self.batch)
            guard !ids.isEmpty else { return }
            do throws(StoreError) {
                let stored = try await schedules.schedules(ids)
                note(stored, of: ids)
                try await plan(stored)
                memory.withLock { $0.errors[.slots] = nil }
            } catch {
                let delay = failed(.slots, "slots not claimed", error)
                let again = clock.now.advanced(by: delay)
                for id in ids { due.set(id, at: again) }
                // What was claimed before it failed is found there.
                queue.add(.runs, after: delay)
                return
            }
        }
    }

    /// Plans for schedules as they were read, and does what follows: first the records, which say once and for all whose a slot
    /// is, then the cursors.
    private func plan(_ stored: [StoredSchedule]) async throws(StoreError) {
        let readAt = clock.steady
        let planned = try await ours(stored)
        let busy = planned.filter(\.isBusy)
        var unfinished: [BotID: [RunRecord]] = [:]
        if !busy.isEmpty {
            unfinished = Dictionary(grouping: try await runs.unfinished(of: busy.map(\.id)), by: \.id)
        }
        // What was asked for says nothing of slots, however much of it is newer.
        let unclear = busy.filter { SlotPlan.needsLatestSlot($0.schedule, rule: $0.rule, now: $0.now) }.map(\.id)
        let latest = unclear.isEmpty ? [] : try await runs.latest(of: unclear, trigger: .schedule)
        let latestSlots = Dictionary(latest.map { ($0.id, $0.slot.time) }, uniquingKeysWith: max)
        let backlogs = memory.withLock(\.backlogs)
        let plans = planned.map { planned in
            let input = SlotInput(
                planned.schedule,
                rule: planned.rule,
                unfinished: unfinished[planned.id] ?? [],
                latestSlot: latestSlots[planned.id],
                backlog: backlogs[planned.id],
                now: planned.now,
                owner: owner
            )
            return (schedule: planned.schedule, plan: SlotPlan(input))
        }
        try await carryOut(plans, readAt: readAt)
    }

    private func carryOut(
        _ plans: [(schedule: BotSchedule, plan: SlotPlan)],
        readAt: Duration
    ) async throws(StoreError) {
        let wanted = plans.flatMap(\.plan.runs)
        let added = wanted.isEmpty ? [] : try await runs.add(wanted)
        for stop in plans.flatMap(\.plan.stops) {
            if try await runs.replace(stop) { queue.add(.run(stop.key)) }
        }
        let moves = plans.compactMap(\.plan.move)
        let moved = moves.isEmpty ? [] : try await schedules.move(moves)
        let now = clock.now
        for (schedule, plan) in plans {
            let isStale = plan.move != nil && !moved.contains(schedule.id)
            // Somebody else was faster, or the schedule was edited in this moment: read it again, though not without a pause, in
            // case that it can never be moved.
            due.set(schedule.id, at: isStale ? now.advanced(by: .milliseconds(100)) : plan.wakeAt)
            remember(plan, of: schedule.id, isStale: isStale, now: now)
            if let correction = plan.correction, !isStale, plan.move != nil {
                logger.info("cursor set", metadata: ["schedule": "\(schedule.id)", "reason": "\(correction)"])
            }
        }
        announce(plans, added: added, readAt: readAt)
    }

    /// Says what was claimed and passed over, and has the claimed ones started, in the order of their slots.
    private func announce(
        _ plans: [(schedule: BotSchedule, plan: SlotPlan)],
        added: Set<RunKey>,
        readAt: Duration
    ) {
        var claimed: [RunKey] = []
        for (schedule, plan) in plans {
            for run in plan.runs where added.contains(run.key) {
                if run.phase == .claimed {
                    memory.withLock {
                        $0.fresh[run.key] = .init(record: run, schedule: schedule, readAt: readAt)
                    }
                    claimed.append(run.key)
                } else {
                    log(run)
                }
            }
        }
        metrics.claimed(claimed.count)
        for key in claimed.sorted(by: { $0.slot < $1.slot }) { queue.add(.run(key)) }
    }

    /// Keeps what the next plan goes on from, and says loudly, once, that a schedule stands still because the clock was ahead.
    private func remember(_ plan: SlotPlan, of id: BotID, isStale: Bool, now: Timestamp) {
        let isNews = memory.withLock { memory in
            let backlog = isStale ? nil : plan.backlog
            if memory.backlogs[id] != backlog { memory.backlogs[id] = backlog }
            guard memory.silences[id] != plan.silentUntil else { return false }
            memory.silences[id] = plan.silentUntil
            return true
        }
        guard isNews, let latest = plan.silentUntil, let cursor = plan.wakeAt else { return }
        logger.warning(
            "the clock was ahead when a slot ran: until it is there again no slot of the schedule runs",
            metadata: [
                "schedule": "\(id)", "latest_slot": "\(Timestamp(secondsSince1970: latest))", "cursor": "\(cursor)",
                "now": "\(now)",
            ]
        )
    }

    func rule(of schedule: BotSchedule) -> ScheduleRule? {
        let text = RuleText(expression: schedule.schedule, execution: schedule.bot.config["execution"])
        let known = memory.withLock { $0.rules[schedule.id].flatMap { $0.text == text ? $0.rule : nil } }
        if let known { return known }
        do throws(DocumentError) {
            let rule = try ScheduleRule(schedule, zones: options.zones)
            report(nil, of: schedule.id)
            memory.withLock { $0.rules[schedule.id] = (text, rule) }
            return rule
        } catch {
            report(schedule.bot.isEnabled ? error : nil, of: schedule.id)
            return nil
        }
    }

    /// Logs broken documents once each; after a full reading also forgets schedules that are gone.
    private func note(_ stored: [StoredSchedule], of ids: [BotID]? = nil) {
        var unnamed: Set<DocumentError> = []
        for entry in stored {
            switch entry {
            case .schedule: break
            case .off(let id):
                report(nil, of: id)
                due.set(id, at: nil)
            case .broken(let id?, let error):
                report(error, of: id)
                due.set(id, at: nil)
            case .broken(nil, let error): unnamed.insert(error)
            }
        }
        let found = Set(stored.compactMap(\.id))
        if let ids {
            memory.withLock { memory in
                for id in ids where !found.contains(id) { memory.problems[id] = nil }
            }
            return
        }
        due.retain(found)
        let news = memory.withLock { memory in
            defer { memory.unnamed = unnamed }
            memory.rules = memory.rules.filter { found.contains($0.key) }
            memory.problems = memory.problems.filter { found.contains($0.key) }
            memory.backlogs = memory.backlogs.filter { found.contains($0.key) }
            memory.silences = memory.silences.filter { found.contains($0.key) }
            return unnamed.subtracting(memory.unnamed)
        }
        for error in news { logger.error("document left out", metadata: Self.metadata(error)) }
    }

    private func report(_ problem: DocumentError?, of id: BotID) {
        let isNews = memory.withLock { memory in
            guard memory.problems[id] != problem else { return false }
            memory.problems[id] = problem
            return true
        }
        guard isNews else { return }
        if let problem {
            logger.error("schedule can't be used, none of its slots runs", metadata: Self.metadata(problem))
        } else {
            logger.info("schedule can be used again", metadata: ["schedule": "\(id)"])
        }
    }

    private static func metadata(_ error: DocumentError) -> Logger.Metadata {
        ["schedule": "\(error.id)", "field": "\(error.field)", "error": "\(error.problem)"]
    }

    /// Logs a failure and has the work done again later.
    @discardableResult
    func failed(_ work: SchedulerWork, _ what: String, _ error: any Error) -> Duration {
        let count = memory.withLock { memory in
            memory.errors[work, default: 0] += 1
            return memory.errors[work, default: 1]
        }
        let delay = min(options.interval, options.retry.delay(attempt: count, seed: owner))
        guard !Task.isCancelled else { return delay }
        logger.log(
            level: count == 1 ? .error : .debug,
            "\(what)",
            metadata: ["error": "\(error)", "next_try_in": "\(GoDuration.string(delay))"]
        )
        queue.add(work, after: delay)
        return delay
    }

    /// Says what became of a run.
    func log(_ run: RunRecord) {
        var metadata: Logger.Metadata = ["schedule": "\(run.id)", "slot": "\(SlotPlan.text(run.slot))"]
        if run.attempt > 0 { metadata["attempt"] = "\(run.attempt)" }
        if !run.reason.isEmpty { metadata["reason"] = "\(run.reason)" }
        guard let outcome = run.outcome else { return }
        if let code = run.exitCode { metadata["exit_code"] = "\(code)" }
        if let begin = run.startedAt, let end = run.endedAt {
            metadata["took"] = "\(GoDuration.string(end.duration(since: begin)))"
        }
        metrics.ended(outcome)
        let level: Logger.Level =
            switch outcome {
            case .succeeded, .replaced, .stopped: .info
            case .skipped, .failed, .outOfMemory, .timedOut: .warning
            case .notStarted, .lost: .error
            }
        logger.log(level: level, "run \(outcome.rawValue)", metadata: metadata)
    }
}
