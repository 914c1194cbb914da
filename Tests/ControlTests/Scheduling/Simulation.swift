import Logging
import Model
import Runtime
import TestSupport
import Util

@testable import Control

/// Schedulers that share a store and an engine, on a clock that the test turns.
struct Simulation {
    let clock: SimulatedClock
    let schedules: MemoryScheduleStore
    let runs = MemoryRunStore()
    let ledger = RunLedger()
    let engine: FakeCompletionRunner
    /// A scheduler, with what its queue would remember.
    struct Living {
        let process: MortalProcess
        let scheduler: Scheduler
        var nextPass: Timestamp
        /// When each run is to be looked at again.
        var looks: [RunKey: Timestamp] = [:]
        /// Runs whose end it has been told of.
        var told: Set<String> = []
    }

    var living: [Living] = []
    private var number = 0

    init(
        at time: Timestamp,
        _ schedules: [BotSchedule],
        behaviour: @escaping @Sendable (RunKey, Int) -> (takes: Duration, exit: Int) = { _, _ in (.seconds(5), 0) }
    ) {
        clock = SimulatedClock(time)
        self.schedules = MemoryScheduleStore(schedules)
        engine = FakeCompletionRunner(clock: clock, behaviour: behaviour)
    }

    /// Starts a scheduler that is killed after some calls, if at all.
    mutating func start(dyingAfter calls: Int? = nil) {
        number += 1
        let process = MortalProcess(dyingAfter: calls)
        let scheduler = Scheduler(
            schedules: MortalScheduleStore(base: schedules, process: process),
            runs: MortalRunStore(base: runs, process: process, ledger: ledger),
            runner: MortalRunner(base: engine, process: process),
            results: nil,
            builder: LaunchSpecBuilder(),
            options: SchedulerOptions(),
            clock: clock,
            owner: "scheduler \(number)",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        living.append(Living(process: process, scheduler: scheduler, nextPass: clock.now))
    }

    /// Lets every scheduler do what is to be done at this time.
    /// - Returns: when there is something to do next.
    mutating func settle() async -> Timestamp? {
        var next: [Timestamp] = []
        for index in living.indices {
            let scheduler = living[index].scheduler
            if living[index].nextPass <= clock.now {
                await scheduler.lookAtRuns()
                await scheduler.lookAtSchedules()
                living[index].nextPass = clock.now.advanced(by: .seconds(6 * 3600))
            }
            await scheduler.claimSlots()
            next += await looks(of: index)
            // The end of a run lets a slot go that waited for it.
            if let due = scheduler.due.earliest {
                if due <= clock.now { await scheduler.claimSlots() }
                next.append(max(due, clock.now.advanced(by: .milliseconds(1))))
            }
            next.append(living[index].nextPass)
        }
        living.removeAll { $0.process.isDead }
        if let end = engine.nextEnd { next.append(end) }
        return next.min()
    }

    private mutating func looks(of index: Int) async -> [Timestamp] {
        let observed = (try? await engine.runs(of: .scheduled)) ?? []
        let keys = Set(((try? await runs.unfinished(of: nil)) ?? []).map(\.key) + observed.compactMap(\.key))
        living[index].looks = living[index].looks.filter { keys.contains($0.key) }
        for run in observed where run.exit != nil {
            if let key = run.key, living[index].told.insert(run.reference).inserted {
                living[index].looks[key] = clock.now
            }
        }
        for key in keys.sorted(by: { $0.slot < $1.slot }) where living[index].looks[key] ?? clock.now <= clock.now {
            living[index].looks[key] = await look(at: key, living[index].scheduler)
        }
        return Array(living[index].looks.values)
    }

    private func look(at key: RunKey, _ scheduler: Scheduler) async -> Timestamp? {
        for _ in 0..<30 {
            switch await scheduler.look(at: key) {
            case .again: continue
            case .after(let delay): return clock.now.advanced(by: max(delay, .milliseconds(1)))
            case .done: return nil
            }
        }
        return clock.now.advanced(by: .seconds(1))
    }
}

extension BotSchedule {
    /// A schedule with a program that any builder takes.
    static func sample(_ id: BotID, _ expression: String, _ execution: JSONObject = [:]) -> BotSchedule {
        let custom = CustomBotVersion(
            version: "1",
            code: .object(key: "code.zip"),
            config: CustomBotConfig(
                name: "sample",
                runtime: "python3.11",
                type: "scheduled",
                entrypoints: ["bot": "main.py"]
            )
        )
        let config: JSONObject = ["schedule": .string(expression), "execution": .object(execution)]
        return BotSchedule(bot: Bot(id: id, config: config, custom: custom), schedule: expression)
    }
}
