public import Logging
public import Model
public import ObjectStorage
public import Runtime
import Synchronization
public import Util

/// Collects the output of all bots: follows every run, keeps its lines in the spool, and brings them to the object store.
///
/// Every line is stored exactly once and in its run's order, whenever this process, the engine or the object store fails.
public final class LogCollector: Sendable {
    let follower: any RunOutputFollowing
    let spool: Spool
    let storing: LogStoring?
    let options: LogCollectorOptions
    let executor: BlockingExecutor
    let time: LogClock
    let logger: Logger
    let metrics: LogsMetrics
    let turns: FollowTurns
    private let state = Mutex(State())
    private let flushWakeup = Wakeup()

    fileprivate struct State {
        var runs = FollowedRuns()
        /// Those who begin followings; there while the collector runs.
        var begin: AsyncStream<FollowedRuns.Beginning>.Continuation?
        /// What was to begin before it ran.
        var early: [FollowedRuns.Beginning] = []
        var hasEnded = false
        /// Bots with lines in memory.
        var unwritten: Set<BotID> = []
        /// Those who wait for a run's end, by its reference.
        var waiters: [String: [Wakeup]] = [:]
        /// The bots that had runs when all were last told; taken when leftovers are looked for.
        var observed: Set<BotID>?
        var lastSweep: Duration?
    }

    /// How often leftovers of bots without runs are looked for, and how old they have to be.
    private static let sweepInterval = Duration.seconds(3600)
    private static let leftoverAge = Duration.seconds(7 * 86_400)
    private let sweepWakeup = Wakeup()

    /// A collector.
    /// - Parameters:
    ///   - follower: reads the runs' output.
    ///   - spool: where lines wait.
    ///   - storage: where they are stored; nil keeps them in the spool, which should have a ring then.
    ///   - options: how to go about it.
    ///   - executor: where calls block while they read and write files.
    ///   - logger: told of what fails.
    public convenience init(
        follower: any RunOutputFollowing,
        spool: Spool,
        storage: (any ObjectAppending)?,
        options: LogCollectorOptions = LogCollectorOptions(),
        executor: BlockingExecutor,
        logger: Logger
    ) {
        self.init(follower, spool, storage, options, executor, .system, logger)
    }

    init(
        _ follower: any RunOutputFollowing,
        _ spool: Spool,
        _ storage: (any ObjectAppending)?,
        _ options: LogCollectorOptions,
        _ executor: BlockingExecutor,
        _ time: LogClock,
        _ logger: Logger
    ) {
        self.follower = follower
        self.spool = spool
        self.options = options
        self.executor = executor
        self.time = time
        self.logger = logger
        turns = FollowTurns(atOnce: options.mostFollowed, length: options.followTurn, time: time)
        let schedule = StoreSchedule(
            policy: options.policy,
            backoff: options.storeRetry,
            parallel: options.parallelStores
        )
        let metrics = LogsMetrics()
        self.metrics = metrics
        storing = storage.map {
            LogStoring(
                spool: spool,
                storer: DayStorer(storage: $0, executor: executor),
                schedule: schedule,
                time: time,
                metrics: metrics,
                logger: logger
            )
        }
    }

    /// Tells what runs there are: what is new is followed, what is gone is forgotten.
    /// - Parameters:
    ///   - runs: all of them.
    ///   - id: the bot whose runs these are; nil when they are those of all bots.
    public func observed(_ runs: [ObservedRun], of id: BotID?) {
        let now = time.now()
        let isSweepDue = state.withLock { state in
            state.start(state.runs.observed(runs, of: id, at: now))
            guard id == nil, state.lastSweep.map({ now - $0 >= Self.sweepInterval }) ?? true else { return false }
            state.lastSweep = now
            state.observed = Set(runs.map(\.id))
            return true
        }
        if isSweepDue { sweepWakeup.wake() }
    }

    /// Collects until cancelled. Call ``finish(within:)`` after it.
    public func run() async {
        let (beginnings, continuation) = AsyncStream.makeStream(of: FollowedRuns.Beginning.self)
        state.withLock { state in
            state.begin = continuation
            for beginning in state.early { continuation.yield(beginning) }
            state.early = []
        }
        for damage in spool.damage { logger.error("log spool damaged", metadata: ["what": "\(damage)"]) }
        announceOld()
        await withDiscardingTaskGroup { group in
            if let storing { group.addTask { await storing.run() } }
            group.addTask { await self.write() }
            group.addTask { await self.sweep() }
            group.addTask { await self.turns.run() }
            for await beginning in beginnings { group.addTask { await self.follow(beginning) } }
            group.cancelAll()
        }
        let waiters = state.withLock { state in
            state.begin = nil
            state.hasEnded = true
            return state.waiters.values.joined()
        }
        for waiter in waiters { waiter.wake() }
        await flushAll()
    }

    /// Writes and stores what was collected, once ``run()`` has returned, as far as the time allows; the rest stays in the spool.
    public func finish(within limit: Duration) async {
        await flushAll()
        await storing?.storeAll(within: limit)
    }

    /// What an earlier process left in the spool.
    private func announceOld() {
        for bot in spool.all {
            guard let unstored = try? bot.withDisk({ disk throws(LogsError) in disk.unstored }), unstored > 0 else {
                continue
            }
            storing?.add(bot.id, bytes: unstored)
        }
    }
}

extension LogCollector.State {
    fileprivate mutating func start(_ beginnings: [FollowedRuns.Beginning]) {
        guard let begin else { return early += beginnings }
        for beginning in beginnings { begin.yield(beginning) }
    }
}

extension LogCollector {
    func runIsKnown(_ run: ObservedRun) -> ObservedRun? { state.withLock { $0.runs.run(run.id, run.reference) } }

    func hasStopped(_ run: ObservedRun) {
        state.withLock { $0.start($0.runs.stopped(run.id, run.reference)) }
    }

    func hasEnded(_ run: ObservedRun) {
        let now = time.now()
        let waiters = state.withLock { state in
            state.start(state.runs.ended(run.id, run.reference, at: now))
            return state.waiters.removeValue(forKey: run.reference) ?? []
        }
        for waiter in waiters { waiter.wake() }
    }

    /// Has a bot's lines in memory written in a moment.
    func scheduleWriting(of id: BotID) {
        let isFirst = state.withLock { state in
            defer { state.unwritten.insert(id) }
            return state.unwritten.isEmpty
        }
        if isFirst { flushWakeup.wake() }
    }

    /// Writes lines of all bots together, a moment after the first of them came.
    private func write() async {
        while !Task.isCancelled {
            await flushWakeup.wait(for: nil, clock: time.clock)
            do { try await time.clock.sleep(for: options.writeDelay) } catch { return }
            await flushAll()
        }
    }

    /// Removes what is kept of bots that have long been without runs.
    private func sweep() async {
        while !Task.isCancelled {
            await sweepWakeup.wait(for: nil, clock: time.clock)
            guard let observed = state.withLock({ $0.observed.take() }) else { continue }
            do {
                try await executor.blocking {
                    try self.spool.removeLeftovers(observed: observed, age: Self.leftoverAge, now: self.time.wall())
                }
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("leftovers in the log spool not removed", metadata: ["error": "\(error)"])
            }
        }
    }

    private func flushAll() async {
        let ids = state.withLock { state in
            defer { state.unwritten = [] }
            return state.unwritten
        }
        guard !ids.isEmpty else { return }
        // Also when cancelled: these are the last ones.
        await withTaskExecutorPreference(executor) {
            for id in ids { self.flush(id, isUrgent: false) }
        }
    }

    /// Writes a bot's lines; blocks.
    func flush(_ id: BotID, isUrgent: Bool) {
        let now = time.wall()
        let writing: SpoolWriting
        do throws(LogsError) { writing = try spool.bot(id, now: now).flush(now: now) } catch {
            return logger.error("log spool unusable", metadata: ["bot": "\(id)", "error": "\(error)"])
        }
        metrics.wrote(writing, spoolBytes: spool.usedBytes)
        if let failure = writing.failure {
            logger.error(
                "lines not kept, they are counted",
                metadata: ["bot": "\(id)", "lines": "\(writing.dropped)", "error": "\(failure)"]
            )
        } else if writing.dropped > 0 {
            logger.warning(
                "lines dropped: the log spool is full",
                metadata: ["bot": "\(id)", "lines": "\(writing.dropped)", "spool_bytes": "\(spool.usedBytes)"]
            )
        }
        if writing.bytes > 0 || isUrgent { storing?.add(id, bytes: writing.bytes, isUrgent: isUrgent) }
    }
}

extension LogCollector: FinalOutputReading {
    /// Returns when a run's output was read to its end and is on disk; see `FinalOutputReading`.
    public func readToEnd(of run: ObservedRun) async {
        // It has written nothing, and never will.
        guard run.phase != .created else { return }
        let waiter = Wakeup()
        let now = time.now()
        let mustWait = state.withLock { state in
            if state.hasEnded || state.runs.isDone(run.id, run.reference) { return false }
            state.waiters[run.reference, default: []].append(waiter)
            state.start(state.runs.observed(run, at: now))
            return true
        }
        guard mustWait else { return }
        await waiter.wait(for: options.finalReading, clock: time.clock)
        let isDone = state.withLock { state in
            state.waiters[run.reference]?.removeAll { $0 === waiter }
            if state.waiters[run.reference]?.isEmpty == true { state.waiters[run.reference] = nil }
            return state.runs.isDone(run.id, run.reference) || state.hasEnded
        }
        guard !isDone, !Task.isCancelled else { return }
        logger.warning(
            "a run's last lines weren't read in time",
            metadata: [
                "bot": "\(run.id)", "run": "\(run.reference)", "waited": "\(GoDuration.string(options.finalReading))",
            ]
        )
    }
}
