import Logging
import Model
import Synchronization
import Util

/// Brings lines from the spool to the object store, as its schedule says.
final class LogStoring: Sendable {
    private let spool: Spool
    private let storer: DayStorer
    private let schedule: Mutex<StoreSchedule>
    private let wakeup = Wakeup()
    private let time: LogClock
    private let metrics: LogsMetrics
    private let logger: Logger

    init(
        spool: Spool,
        storer: DayStorer,
        schedule: StoreSchedule,
        time: LogClock,
        metrics: LogsMetrics,
        logger: Logger
    ) {
        self.spool = spool
        self.storer = storer
        self.schedule = Mutex(schedule)
        self.time = time
        self.metrics = metrics
        self.logger = logger
    }

    /// Notes that a bot has more lines.
    func add(_ id: BotID, bytes: Int, isUrgent: Bool = false) {
        let now = time.now()
        if schedule.withLock({ $0.add(id, bytes: bytes, isUrgent: isUrgent, at: now) }) { wakeup.wake() }
    }

    /// Stores what becomes due until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let now = time.now()
                let (due, wait) = schedule.withLock { ($0.take(at: now), $0.wait(at: now)) }
                for id in due { group.addTask { await self.store(id) } }
                await wakeup.wait(for: wait, clock: time.clock)
            }
        }
    }

    /// Stores all there is, as far as the time allows.
    func storeAll(within limit: Duration) async {
        let end = time.now() + limit
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await self.time.clock.sleep(for: limit) } catch { return }
            }
            group.addTask {
                await withTaskGroup(of: Void.self) { bots in
                    var running = 0
                    for bot in self.spool.all {
                        if running >= 4 {
                            await bots.next()
                            running -= 1
                        }
                        bots.addTask { await self.storeAll(of: bot, until: end) }
                        running += 1
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func storeAll(of bot: BotSpool, until end: Duration) async {
        while time.now() < end, !Task.isCancelled {
            do throws(LogsError) {
                guard let stored = try await storer.store(bot, now: time.wall()) else { return }
                metrics.stored(stored, at: time.wall(), spoolBytes: spool.usedBytes)
            } catch {
                failed(bot.id, error)
                return
            }
        }
    }

    private func store(_ id: BotID) async {
        do throws(LogsError) {
            let bot = try spool.bot(id, now: time.wall())
            let stored = try await storer.store(bot, now: time.wall())
            if let stored { metrics.stored(stored, at: time.wall(), spoolBytes: spool.usedBytes) }
            let now = time.now()
            let before = schedule.withLock { schedule in
                let before = schedule.failures
                // Without anything to store nothing waits, whatever was counted.
                schedule.stored(id, left: stored?.left ?? 0, object: stored?.objectSize, at: now)
                return before
            }
            if before > 0 { logger.notice("lines are stored again", metadata: ["failures": "\(before)"]) }
        } catch {
            failed(id, error)
            let now = time.now()
            schedule.withLock { $0.failed(id, at: now) }
        }
        wakeup.wake()
    }

    private func failed(_ id: BotID, _ error: LogsError) {
        guard error.code != .cancelled, !Task.isCancelled else { return }
        metrics.storeFailed()
        logger.warning(
            "lines not stored, they stay in the spool",
            metadata: ["bot": "\(id)", "error": "\(error)", "spool_bytes": "\(spool.usedBytes)"]
        )
    }
}

/// The clocks in use, for tests to replace.
struct LogClock: Sendable {
    /// What sleeps.
    var clock: any Clock<Duration>
    /// Time that only goes forward.
    var now: @Sendable () -> Duration
    /// The time of day.
    var wall: @Sendable () -> Timestamp

    static var system: LogClock {
        let clock = ContinuousClock()
        let began = clock.now
        return LogClock(clock: clock, now: { began.duration(to: clock.now) }, wall: { .now })
    }
}
