import Logging
import Model
import Runtime
import Synchronization
import Util

extension Reconciler {
    /// Looks at one bot and does what follows.
    /// - Returns: why not all of it was done, if so; it is tried again.
    func reconcile(_ id: BotID) async -> ReconcileError? {
        do throws(ReconcileError) {
            let (desired, plan) = try await plan(for: id)
            if desired == .absent, !plan.actions.isEmpty, isHeld(id) {
                queue.add(.bot(id), after: options.interval)
                return nil
            }
            // First what a start needs, then the end of what runs: a bot isn't stopped for a successor that can't be started.
            if let spec = plan.start { try await prepare(spec) }
            if !plan.actions.isEmpty { try await announce(plan, for: id) }
            statuses.note(plan.status, of: id)
            for action in plan.actions { try await perform(action, for: id) }
            memory.withLock { $0.errors[.bot(id)] = nil }
            settle(id, plan)
            // There is no such bot any more: the next full pass needn't come for that to show.
            if desired == .absent { statuses.note(nil, of: id) }
            return nil
        } catch {
            if !Task.isCancelled { retry(id, after: error) }
            return error
        }
    }

    private func plan(for id: BotID) async throws(ReconcileError) -> (Desired, Plan) {
        let stored: StoredBot?
        do { stored = try await store.bot(id) } catch { throw ReconcileError(error) }
        let observed: [ObservedRun]
        do { observed = try await runner.runs(of: options.kind, id: id) } catch { throw ReconcileError(error) }
        options.onObserved(id, observed)
        let (now, instant) = (now(), clock.now)
        let (runs, failure) = memory.withLock { memory in
            if stored != nil { memory.sawInStore(id, at: instant) }
            return (
                memory.rebased(observed, now: now, at: instant), memory.failure(of: id, now: now, at: instant)
            )
        }
        let desired = desire(stored)
        let plan = Plan(
            desired: desired,
            observed: runs,
            failure: failure,
            updatesInPlace: runner is any RunUpdating,
            now: now
        )
        return (desired, plan)
    }

    private func announce(_ plan: Plan, for id: BotID) async throws(ReconcileError) {
        guard let beforeActions = options.beforeActions else { return }
        do throws(RunnerError) { try await beforeActions(id, plan.actions) } catch {
            throw ReconcileError(error, startOf: plan.start)
        }
    }

    private func prepare(_ spec: LaunchSpec) async throws(ReconcileError) {
        guard let runner = runner as? any RunPreparing else { return }
        do throws(RunnerError) { try await runner.prepare(spec) } catch {
            if !Task.isCancelled { metrics.startFailed(error.code) }
            throw ReconcileError(error, startOf: spec)
        }
    }

    /// Notes what a bot is after its plan was carried out.
    private func settle(_ id: BotID, _ plan: Plan) {
        guard !plan.actions.isEmpty else { return recheck(id, plan) }
        switch plan.status {
        case .starting, .replacing: statuses.note(.running(since: now()), of: id)
        case .stopping: statuses.note(.stopped, of: id)
        default: recheck(id, plan)
        }
    }

    private func perform(_ action: Action, for id: BotID) async throws(ReconcileError) {
        switch action {
        case .start(let spec, let attempt):
            try await start(spec, attempt: attempt)
        case .update(let run, let spec):
            try await update(run, to: spec)
        case .remove(let run, let reason):
            do throws(RunnerError) { try await runner.remove(run) } catch { throw ReconcileError(error) }
            metrics.removed(reason)
            logger.debug("run removed", metadata: ["bot": "\(id)", "run": "\(run.reference)", "reason": "\(reason)"])
        }
    }

    private func update(_ run: ObservedRun, to spec: LaunchSpec) async throws(ReconcileError) {
        guard let runner = runner as? any RunUpdating else { return }
        do throws(RunnerError) { try await runner.update(run, to: spec) } catch {
            if !Task.isCancelled { metrics.startFailed(error.code) }
            throw ReconcileError(error, startOf: spec)
        }
        logger.debug("run changed in place", metadata: ["bot": "\(spec.id)", "run": "\(run.reference)"])
        memory.withLock { $0.started(spec.id) }
    }

    private func start(_ spec: LaunchSpec, attempt: Int) async throws(ReconcileError) {
        let begin = clock.now
        do throws(RunnerError) {
            try await starting(spec, attempt: attempt)
        } catch {
            if !Task.isCancelled { metrics.startFailed(error.code) }
            throw ReconcileError(error, startOf: spec)
        }
        metrics.started(in: begin.duration(to: clock.now))
        memory.withLock { $0.started(spec.id) }
    }

    /// Starts a bot when its turn has come.
    private func starting(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        let outcome: Result<Void, RunnerError>
        do {
            outcome = try await starts.withPermit {
                await Result { () async throws(RunnerError) in try await self.runner.start(spec, attempt: attempt) }
            }
        } catch {
            throw RunnerError(.cancelled, "cancelled before the start", cause: error)
        }
        try outcome.get()
    }

    /// Waits longer after each failure of the same bot. A start that fails is remembered by its specification, so that a
    /// changed bot is tried at once.
    private func retry(_ id: BotID, after error: ReconcileError) {
        if let spec = error.spec {
            let at = now()
            let failure = memory.withLock {
                $0.startFailed(
                    spec,
                    error.description,
                    isRetryable: error.isRetryable,
                    now: at,
                    at: clock.now
                )
            }
            let policy =
                (try? RestartPolicy(config: spec.executable.config, id: id, defaults: options.restart))
                ?? options.restart
            let delay = policy.delay(after: failure, id: id)
            statuses.note(.startFailed(until: at.advanced(by: delay), reason: error.description), of: id)
            queue.add(.bot(id), after: delay)
            return
        }
        let delay = options.retry.delay(attempt: countError(.bot(id)), seed: id.text)
        logger.warning(
            "bot left as it is for now",
            metadata: [
                "bot": "\(id)", "part": "\(error.part)", "error": "\(error)",
                "next_try_in": "\(GoDuration.string(delay))",
            ]
        )
        queue.add(.bot(id), after: delay)
    }
}
