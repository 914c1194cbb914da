import Logging
import Model
import Runtime
import Synchronization
import Util

extension Scheduler {
    /// How long after it was announced a start may still be asked of the platform. Others leave it alone for longer.
    private static let startWindow: Duration = .seconds(60)

    /// Starts a run whose time has come, when it is its turn.
    /// - Parameter known: its schedule, if it was read just now.
    func start(_ record: RunRecord, _ known: BotSchedule?, _ platform: String) async throws -> NextLook {
        let schedule: BotSchedule
        switch try await settings(of: record, known) {
        case .success(let found): schedule = found
        case .failure(let end):
            // Broken may mean that it is being written in this moment.
            let isFinal = end.outcome == .skipped || clock.now > record.startBy
            return isFinal ? try await end.write(self, record) : .after(.seconds(5))
        }
        let spec: LaunchSpec
        do throws(DocumentError) { spec = try builder.spec(for: Executable(schedule, slot: record.slot)) } catch {
            return try await End(.notStarted, "\(error.field) \(error.problem)").write(self, record)
        }
        if let preparing = runner as? any RunPreparing {
            do throws(RunnerError) { try await preparing.prepare(spec) } catch {
                return try await failed(record, error)
            }
        }
        let outcome = await line.turn(of: record.slot) { () async -> Result<NextLook, any Error> in
            do { return .success(try await self.begin(record, spec, platform)) } catch { return .failure(error) }
        }
        return try outcome?.get() ?? .done
    }

    /// The settings to start from: those of this moment.
    private func settings(of record: RunRecord, _ read: BotSchedule?) async throws -> Result<BotSchedule, End> {
        if let read { return .success(read) }
        switch try await schedules.schedules([record.id]).first {
        case nil: return .failure(End(.skipped, "the schedule was deleted"))
        case .off?: return .failure(End(.skipped, "the schedule was switched off"))
        case .broken(_, let error)?: return .failure(End(.notStarted, "\(error.field) \(error.problem)"))
        case .schedule(let schedule)?:
            guard schedule.bot.isEnabled || record.slot.trigger == .manual else {
                return .failure(End(.skipped, "the schedule was switched off"))
            }
            return .success(schedule)
        }
    }

    /// An end before a start.
    private struct End: Error {
        let outcome: RunRecord.Outcome
        let reason: String

        init(_ outcome: RunRecord.Outcome, _ reason: String) {
            self.outcome = outcome
            self.reason = reason
        }

        func write(_ scheduler: Scheduler, _ record: RunRecord) async throws -> NextLook {
            let view = RunView(
                record: record,
                observed: nil,
                now: scheduler.clock.now,
                owner: scheduler.owner,
                platform: ""
            )
            let next = view.over(outcome, reason)
            if try await scheduler.runs.replace(next) {
                scheduler.log(next)
                scheduler.due.wake(next.id, at: scheduler.clock.now)
            }
            return .again
        }
    }

    /// What a start needs can't be had: tried again while the slot may still be started.
    private func failed(_ record: RunRecord, _ error: RunnerError) async throws -> NextLook {
        guard !Task.isCancelled else { return .done }
        let failure = memory.withLock { $0.failed(record.key, error.message, isRetryable: error.isRetryable) }
        let delay = options.retry.delay(attempt: failure.count, seed: "\(record.id.text) \(record.slot)")
        let next = clock.now.advanced(by: delay)
        guard failure.isRetryable, next <= record.startBy.advanced(by: options.patience.late) else {
            return try await End(.notStarted, error.message).write(self, record)
        }
        logger.warning(
            "run can't be started yet",
            metadata: [
                "schedule": "\(record.id)", "slot": "\(SlotPlan.text(record.slot))", "error": "\(error)",
                "next_try_in": "\(GoDuration.string(delay))",
            ]
        )
        return .after(delay)
    }

    /// Announces the start, makes sure that no other run of the schedule is in the way, and asks the platform for it.
    private func begin(_ record: RunRecord, _ spec: LaunchSpec, _ platform: String) async throws -> NextLook {
        let starting = record.next { run in
            run.phase = .starting
            run.owner = owner
            run.platform = platform
        }
        guard try await runs.replace(starting) else { return .again }
        let announced = clock.steady
        // Whoever announces second sees the first one here.
        let others = try await runs.unfinished(of: [record.id]).filter { $0.slot != record.slot }
        if others.contains(where: starting.isBlocked) {
            let back = starting.next { run in
                run.phase = .claimed
                run.platform = record.platform
            }
            _ = try await runs.replace(back)
            // Of two that step back the earlier slot comes again first.
            return .after(.milliseconds(others.contains { $0.slot < record.slot } ? 2000 : 500))
        }
        guard clock.steady - announced < Self.startWindow, !Task.isCancelled else { return .again }
        metrics.starting(late: clock.now.duration(since: record.notBefore))
        do throws(RunnerError) {
            try await runner.start(spec, attempt: record.attempt)
        } catch {
            if Task.isCancelled { return .done }
            _ = memory.withLock {
                $0.failed(record.key, error.message, isRetryable: error.isRetryable || error.code == .conflict)
            }
            logger.warning(
                "start failed",
                metadata: [
                    "schedule": "\(record.id)", "slot": "\(SlotPlan.text(record.slot))", "error": "\(error)",
                ]
            )
            // What there is now tells whether it began.
            return .again
        }
        let running = starting.next { run in
            run.phase = .running
            run.startedAt = clock.now
        }
        if try await runs.replace(running) {
            logger.info(
                "run started",
                metadata: ["schedule": "\(record.id)", "slot": "\(SlotPlan.text(record.slot))"]
            )
        }
        memory.withLock { $0.failures[record.key] = nil }
        return .after(record.timeout > 0 ? .seconds(record.timeout) : .seconds(3600))
    }
}

extension RunRecord {
    /// Whether another run keeps this one, which is announced, from being started.
    fileprivate func isBlocked(by other: RunRecord) -> Bool {
        guard isExclusive || other.isExclusive else { return false }
        return other.phase == .starting || other.phase == .running
    }
}
