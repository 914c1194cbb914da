public import Logging
public import Model
public import Runtime
import Synchronization
import Util

/// Runs bots on their schedules: every slot once, on time.
///
/// It holds no truth. Which slot comes next is the schedule's cursor in the store; which slots are taken and what became of them
/// are records there; what runs is read from the platform. Every step is a compare-and-set on one of these or bears a name that
/// the platform gives once, so any number of schedulers may share a store and be killed at any instant.
public final class Scheduler: Sendable {
    let schedules: any ScheduleStore
    let runs: any RunStore
    let runner: any CompletionRunner
    let results: (any ResultStore)?
    let builder: LaunchSpecBuilder
    let options: SchedulerOptions
    let clock: any SchedulerClock
    let logger: Logger
    /// Names this process in the records it writes.
    let owner: String
    let metrics = SchedulerMetrics()
    let due = DueList()
    let queue = WorkQueue<SchedulerWork, ContinuousClock>(clock: ContinuousClock())
    let line: StartLine
    let memory = Mutex(SchedulerMemory())

    /// A scheduler over its stores and a runner.
    /// - Parameters:
    ///   - schedules: what is to run when.
    ///   - runs: what was claimed and what became of it.
    ///   - runner: where runs run.
    ///   - results: where their results go; nil leaves them.
    ///   - builder: makes specifications of programs.
    ///   - options: how to go about it.
    ///   - clock: the time.
    ///   - owner: names this process among schedulers; each has its own.
    ///   - logger: told of every run's way. Never of a value of a config.
    public init(
        schedules: any ScheduleStore,
        runs: any RunStore,
        runner: any CompletionRunner,
        results: (any ResultStore)?,
        builder: LaunchSpecBuilder,
        options: SchedulerOptions = SchedulerOptions(),
        clock: any SchedulerClock = SystemSchedulerClock(),
        owner: String = SchedulerMemory.randomOwner(),
        logger: Logger
    ) {
        self.schedules = schedules
        self.runs = runs
        self.runner = runner
        self.results = results
        self.builder = builder
        self.options = options
        self.clock = clock
        self.owner = owner
        self.logger = logger
        line = StartLine(places: options.parallelStarts)
    }

    /// Asks for a schedule and its runs, or for everything, to be looked at again.
    public func wake(_ wake: Wake) {
        switch wake {
        case .everything:
            queue.add(.schedules)
            queue.add(.runs)
        case .bot(let id):
            due.wake(id, at: clock.now)
            queue.add(.runsOf(id))
        }
    }

    /// Asks for the runs of a schedule, or for all, to be looked at again, after something happened on the platform.
    public func wakeRuns(_ id: BotID?) { queue.add(id.map { .runsOf($0) } ?? .runs) }

    /// Schedules until cancelled. Runs under way go on; the next scheduler finds them.
    public func run() async {
        wake(.everything)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchTime() }
            await queue.run { work in await self.work(on: work) }
            group.cancelAll()
        }
    }

    /// Wakes the claiming of slots when the earliest one comes.
    private func watchTime() async {
        await withDiscardingTaskGroup { group in
            let (ticks, ticker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            group.addTask {
                for await _ in self.due.changes { ticker.yield() }
                ticker.finish()
            }
            var alarm: Timestamp?
            ticker.yield()
            for await _ in ticks {
                guard let earliest = due.earliest else { continue }
                if earliest <= clock.now {
                    // It has rung: when the clock is set back, that one doesn't ring again.
                    alarm = nil
                    queue.add(.slots)
                    continue
                }
                if let alarm, alarm <= earliest, alarm > clock.now { continue }
                alarm = earliest
                group.addTask {
                    // Cancelled: the scheduler ends.
                    try? await self.clock.sleep(until: earliest)
                    ticker.yield()
                }
            }
        }
    }

    private func work(on work: SchedulerWork) async {
        switch work {
        case .schedules: await lookAtSchedules()
        case .slots: await claimSlots()
        case .leftovers: await removeLeftovers()
        case .runs: await lookAtRuns()
        case .runsOf(let id): await lookAtRuns(of: id)
        case .run(let key):
            switch await look(at: key) {
            case .again: queue.add(work)
            case .after(let delay): queue.add(work, after: delay)
            case .done: break
            }
        }
    }
}

/// What a scheduler works on, each at most once at the same time.
enum SchedulerWork: Hashable, Sendable {
    /// All schedules: what others have changed.
    case schedules
    /// The schedules whose slot has come.
    case slots
    /// What is kept for schedules that are gone.
    case leftovers
    /// All runs.
    case runs
    /// The runs of a schedule.
    case runsOf(BotID)
    /// One run.
    case run(RunKey)
}

/// When to look at a run again.
enum NextLook: Sendable, Hashable {
    case again
    case after(Duration)
    case done
}
