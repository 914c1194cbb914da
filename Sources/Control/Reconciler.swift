public import Logging
public import Model
public import Runtime
import Synchronization
public import Util

/// Keeps what runs equal to what is desired, for live bots.
///
/// It holds no truth: every decision is made anew from the store and the runner, for one bot at a time under `WorkQueue`'s
/// promise that no bot is worked on twice at once. Wake-ups name a bot; a full pass catches whatever they missed.
public final class Reconciler<C: Clock<Duration>>: Sendable {
    let store: any BotStore
    let runner: any Runner
    let builder: LaunchSpecBuilder
    let options: ReconcilerOptions
    let clock: C
    let now: @Sendable () -> Timestamp
    let logger: Logger
    let queue: WorkQueue<Wake, C>
    let starts: AsyncSemaphore
    let metrics = ReconcilerMetrics()
    let memory: Mutex<ReconcilerMemory<C.Instant>>
    private let memo = Mutex(DesiredMemo())

    /// What every bot is at the moment.
    public let statuses: StatusBoard

    /// A reconciler over a store and a runner.
    /// - Parameters:
    ///   - store: what is desired.
    ///   - runner: what runs, and what changes it.
    ///   - builder: makes specifications of bots.
    ///   - options: how to go about it.
    ///   - clock: what delays are measured with.
    ///   - now: the wall clock, which the runner's timestamps are compared with.
    ///   - logger: told of every change of a bot's status.
    public init(
        store: any BotStore,
        runner: any Runner,
        builder: LaunchSpecBuilder,
        options: ReconcilerOptions,
        clock: C = ContinuousClock(),
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now },
        logger: Logger
    ) {
        self.store = store
        self.runner = runner
        self.builder = builder
        self.options = options
        self.clock = clock
        self.now = now
        self.logger = logger
        memory = Mutex(ReconcilerMemory(began: clock.now))
        queue = WorkQueue(clock: clock)
        starts = AsyncSemaphore(permits: options.parallelStarts)
        statuses = StatusBoard(logger: logger)
    }

    /// Asks for a bot, or for everything, to be looked at again.
    public func wake(_ wake: Wake) { queue.add(wake) }

    /// Reconciles until cancelled. Work under way is cancelled then; bots run on.
    public func run() async {
        queue.add(.everything)
        await queue.run { wake in await self.work(on: wake) }
    }

    private func work(on wake: Wake) async {
        switch wake {
        case .everything:
            await fullPass()
            queue.add(.everything, after: nextPass())
        case .bot(let id):
            _ = await reconcile(id)
        }
    }

    /// Ends every run this instance has, all at the same time; for a runner that takes its bots along.
    /// - Throws: the first `RunnerError`, after all were tried.
    public func removeAll() async throws(RunnerError) {
        let runs = try await runner.runs(of: options.kind)
        let outcomes = await withTaskGroup(of: Result<Void, RunnerError>.self) { group in
            for run in runs {
                group.addTask { await Result { () async throws(RunnerError) in try await self.runner.remove(run) } }
            }
            var outcomes: [Result<Void, RunnerError>] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        for outcome in outcomes { try outcome.get() }
    }

    /// Makes one full pass and does everything that follows from it now, then returns.
    /// - Returns: the bots for which something failed, with the reason.
    /// - Throws: ``ReconcileError`` when what is desired or observed can't be read in full.
    public func runOnce() async throws(ReconcileError) -> [BotID: String] {
        let survey = try await settledSurvey()
        note(survey)
        var failed: [BotID: String] = [:]
        var due: [BotID] = []
        for entry in survey.entries {
            if entry.plan.actions.isEmpty {
                statuses.note(entry.plan.status, of: entry.id)
            } else if isHeld(entry) {
                failed[entry.id] = "runs, but isn't in the store, as nothing else that runs is: left alone"
            } else {
                due.append(entry.id)
            }
        }
        await withTaskGroup(of: (BotID, ReconcileError?).self) { group in
            for id in due { group.addTask { (id, await self.reconcile(id)) } }
            for await (id, error) in group { failed[id] = error?.description }
        }
        for (id, status) in statuses.all {
            if case .invalid(let error, _) = status { failed[id] = "\(error.field) \(error.problem)" }
        }
        return failed
    }

    /// A survey that no document, engine or file that was just being written stands in the way of: there is no next pass to
    /// find them settled, so this looks twice.
    /// - Throws: ``ReconcileError`` when either can't be read in full.
    public func settledSurvey() async throws(ReconcileError) -> Survey {
        do throws(ReconcileError) {
            let first = try await survey()
            let isClear = first.entries.allSatisfy { if case .unknown = $0.desired { false } else { true } }
            if isClear { return first }
        } catch {
            guard error.isRetryable else { throw error }
        }
        // Cancelled while it waits, the second look says so.
        try? await clock.sleep(for: .milliseconds(500))
        return try await survey()
    }

    /// How long until the next full pass: the interval, or less while passes fail.
    private func nextPass() -> Duration {
        guard let errors = memory.withLock({ $0.errors[.everything] }) else { return options.interval }
        return min(options.interval, options.retry.delay(attempt: errors, seed: "pass"))
    }

    /// Reads everything and queues the bots for which something is to be done.
    func fullPass() async {
        let begin = clock.now
        do throws(ReconcileError) {
            let survey = try await survey()
            note(survey)
            let held = survey.entries.filter { isHeld($0) }
            if !held.isEmpty {
                logger.warning(
                    "nothing that runs is in the store: left alone for now, in case it is the wrong store",
                    metadata: ["bots": "\(held.count)", "grace": "\(GoDuration.string(options.strangerGrace))"]
                )
            }
            for entry in survey.entries where !isHeld(entry) { queue(entry) }
            await removeLeftovers(survey)
            memory.withLock { $0.errors[.everything] = nil }
            metrics.passed(in: begin.duration(to: clock.now))
            options.onPass(.success(survey.entries.count))
        } catch {
            guard !Task.isCancelled else { return }
            countError(.everything)
            metrics.passFailed()
            logger.error(
                "full pass given up, nothing was changed",
                metadata: ["error": "\(error)", "part": "\(error.part)"]
            )
            options.onPass(.failure(error))
        }
    }

    /// Reads what is desired and what is observed, and plans for every bot, without doing anything.
    /// - Throws: ``ReconcileError`` when either can't be read in full.
    public func survey() async throws(ReconcileError) -> Survey {
        async let storedResult = Result { () async throws(StoreError) in try await self.store.bots() }
        async let observedResult = Result { () async throws(RunnerError) in
            try await self.runner.runs(of: self.options.kind)
        }
        let stored: [StoredBot]
        let observed: [ObservedRun]
        do { stored = try await storedResult.get() } catch {
            _ = await observedResult
            throw ReconcileError(error)
        }
        do { observed = try await observedResult.get() } catch { throw ReconcileError(error) }
        options.onObserved(nil, observed)
        let (now, instant) = (now(), clock.now)
        let (runs, failures) = memory.withLock {
            ($0.rebased(observed, now: now, at: instant), $0.allFailures(now: now, at: instant))
        }
        let last = memo.withLock { $0 }
        var next = DesiredMemo(count: stored.count)
        let survey = Survey(
            stored: stored,
            observed: runs,
            failures: failures,
            updatesInPlace: runner is any RunUpdating,
            desire: { bot in
                // What somebody else works out may depend on more than the bot.
                guard let bot, options.desire == nil else { return desire(bot) }
                let wanted = last.desired(for: bot) ?? desire(bot)
                next.note(wanted, of: bot)
                return wanted
            },
            now: now
        )
        memo.withLock { $0 = next }
        return survey
    }

    func desire(_ stored: StoredBot?) -> Desired {
        options.desire?(stored) ?? Desired(stored, builder: builder, restart: options.restart)
    }

    /// Whether a bot that isn't in the store is to be left alone for now.
    private func isHeld(_ entry: Survey.Entry) -> Bool {
        entry.desired == .absent && !entry.plan.actions.isEmpty && isHeld(entry.id)
    }

    func isHeld(_ id: BotID) -> Bool {
        memory.withLock { $0.isHeld(id, grace: options.strangerGrace, at: clock.now) }
    }

    private func queue(_ entry: Survey.Entry) {
        if !entry.plan.actions.isEmpty {
            queue.add(.bot(entry.id))
        } else {
            statuses.note(entry.plan.status, of: entry.id)
            recheck(entry.id, entry.plan)
        }
    }

    func recheck(_ id: BotID, _ plan: Plan) {
        guard let due = plan.recheckAt else { return }
        queue.add(.bot(id), after: max(.zero, due.duration(since: now())))
    }

    /// Logs documents without a usable id once each, and forgets what belongs to bots that are gone.
    private func note(_ survey: Survey) {
        statuses.retain(Set(survey.entries.map(\.id)))
        let news = memory.withLock { $0.note(survey, at: clock.now) }
        for error in news {
            logger.error(
                "document left out",
                metadata: ["document": "\(error.id)", "field": "\(error.field)", "error": "\(error.problem)"]
            )
        }
    }

    private func removeLeftovers(_ survey: Survey) async {
        // A document without an id may belong to any bot whose state would then be taken for a leftover.
        guard let housekeeper = runner as? any RunnerHousekeeping, survey.unnamed.isEmpty,
            let known = memory.withLock({ $0.keeping(for: options.leftoverAge, at: clock.now) })
        else { return }
        do throws(RunnerError) { try await housekeeper.removeLeftovers(known: known) } catch {
            guard !Task.isCancelled else { return }
            logger.warning("leftovers not removed", metadata: ["error": "\(error)"])
        }
    }

    @discardableResult
    func countError(_ wake: Wake) -> Int {
        memory.withLock { memory in
            memory.errors[wake, default: 0] += 1
            return memory.errors[wake, default: 1]
        }
    }
}
