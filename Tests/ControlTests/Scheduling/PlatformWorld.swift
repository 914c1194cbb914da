import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Util

@testable import Control

/// A platform that keeps schedules, the reconciler that makes it do so, and the scheduler for the rest; the test does each step.
final class PlatformWorld: Sendable {
    let clock = SimulatedClock(PlatformSchedulesTests.start)
    let schedules: MemoryScheduleStore
    let runs = MemoryRunStore()
    let platform: FakeSchedulePlatform
    private let engine: FakeCompletionRunner
    private let steady = ManualClock()
    private let parts: Mutex<(reconciler: Reconciler<ManualClock>, scheduler: Scheduler)>
    private let failed = Mutex<[String]>([])
    private let claims = Mutex<Set<RunKey>>([])

    init(
        _ schedules: [BotSchedule],
        between: @escaping @Sendable () async throws(RunnerError) -> Void = {}
    ) {
        self.schedules = MemoryScheduleStore(schedules)
        platform = FakeSchedulePlatform(clock: clock, between: between)
        engine = FakeCompletionRunner(clock: clock)
        parts = Mutex(Self.parts(self.schedules, runs, platform, engine, clock, steady))
    }

    private static func parts(
        _ schedules: MemoryScheduleStore,
        _ runs: MemoryRunStore,
        _ platform: FakeSchedulePlatform,
        _ engine: FakeCompletionRunner,
        _ clock: SimulatedClock,
        _ steady: ManualClock
    ) -> (Reconciler<ManualClock>, Scheduler) {
        let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let builder = LaunchSpecBuilder()
        let now: @Sendable () -> Timestamp = { clock.now }
        let kept = PlatformSchedules(schedules: schedules, runs: runs, platform: platform, builder: builder, now: now)
        let reconciler = Reconciler(
            store: kept,
            runner: platform,
            builder: builder,
            options: ReconcilerOptions(
                kind: .scheduled,
                strangerGrace: .zero,
                desire: { kept.desire($0) },
                beforeActions: { (id, actions) async throws(RunnerError) in try await kept.handOver(id, actions) }
            ),
            clock: steady,
            now: now,
            logger: silent
        )
        let scheduler = Scheduler(
            schedules: schedules,
            runs: runs,
            runner: engine,
            results: nil,
            builder: builder,
            options: SchedulerOptions(platform: kept),
            clock: clock,
            logger: silent
        )
        return (reconciler, scheduler)
    }

    /// As after a crash: what was remembered is gone.
    func beginAnew() {
        let fresh = Self.parts(schedules, runs, platform, engine, clock, steady)
        parts.withLock { $0 = fresh }
    }

    /// Why something wasn't done.
    var failures: [String] { failed.withLock { $0 } }
    /// The slots that the scheduler took.
    var claimed: Set<RunKey> { claims.withLock { $0 } }
    var ranTwice: Set<RunKey> { claimed.intersection(platform.state.withLock { $0.fired }) }

    func reconcile() async {
        let reconciler = parts.withLock { $0.reconciler }
        await reconciler.fullPass()
        do throws(ReconcileError) {
            for entry in try await reconciler.survey().entries where !entry.plan.actions.isEmpty {
                if let error = await reconciler.reconcile(entry.id) { throw error }
            }
        } catch {
            failed.withLock { $0.append(error.description) }
        }
    }

    func schedule() async {
        let scheduler = parts.withLock { $0.scheduler }
        await scheduler.lookAtSchedules()
        await scheduler.claimSlots()
        let taken = runs.all.filter { $0.outcome != .skipped }.map(\.key)
        claims.withLock { $0.formUnion(taken) }
    }

    /// Ends every run that the scheduler claimed.
    func endRuns() async throws {
        for run in try await runs.unfinished(of: nil) {
            let end = run.next { run in
                (run.phase, run.outcome, run.endedAt) = (.ended, .succeeded, clock.now)
            }
            _ = try await runs.replace(end)
        }
    }

    func pass(_ time: Duration) {
        clock.turn(to: clock.now.advanced(by: time))
        steady.advance(by: time)
        platform.pass()
    }

    func minutes(_ count: Int, ending: Bool = true) async throws {
        for _ in 0..<count * 4 {
            pass(.seconds(15))
            await reconcile()
            await schedule()
            if ending { try await endRuns() }
        }
    }
}

extension PlatformWorld {
    /// What happens within calls, once the world is there.
    private struct Mischief: Sendable {
        var random: SeededGenerator
        var world: PlatformWorld?
        var depth = 0

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 1...100, using: &random) <= percent }
    }

    private enum Event { case nothing, passing(Duration), breaking, interleaving(reconciles: Bool) }

    static func random(seed: UInt64) async throws -> PlatformWorld {
        let mischief = Mutex(Mischief(random: SeededGenerator(seed: seed)))
        let sides: [JSONObject] = [
            [:], ["missed": "all"], ["missed": "skip"], ["overlap": "allow"], ["missed": "all", "overlap": "allow"],
            ["suspend": true],
        ]
        let expressions = ["* * * * *", "*/2 * * * *", "*/20 * * * * *"]
        let world = PlatformWorld([.sample("a", "* * * * *"), .sample("b", "* * * * *", ["missed": "all"])]) {
            () async throws(RunnerError) in
            let (event, world) = mischief.withLock { mischief -> (Event, PlatformWorld?) in
                guard mischief.depth < 2 else { return (.nothing, nil) }
                let event: Event =
                    switch Int.random(in: 0..<30, using: &mischief.random) {
                    case 0, 1, 2: .passing(.milliseconds(Int.random(in: 1...90_000, using: &mischief.random)))
                    case 3: .breaking
                    case 4, 5: .interleaving(reconciles: Bool.random(using: &mischief.random))
                    default: .nothing
                    }
                if case .interleaving = event { mischief.depth += 1 }
                return (event, mischief.world)
            }
            switch event {
            case .nothing: break
            case .passing(let time): world?.pass(time)
            case .breaking: throw RunnerError(.unavailable, "the connection broke")
            case .interleaving(let reconciles):
                if reconciles { await world?.reconcile() } else { await world?.schedule() }
                mischief.withLock { $0.depth -= 1 }
            }
        }
        mischief.withLock { $0.world = world }
        defer { mischief.withLock { $0.world = nil } }
        for _ in 0..<150 {
            let (time, id, change) = mischief.withLock { mischief in
                (
                    Duration.milliseconds(Int.random(in: 1...70_000, using: &mischief.random)),
                    Bool.random(using: &mischief.random) ? BotID("a") : "b",
                    Int.random(in: 0..<10, using: &mischief.random)
                )
            }
            world.pass(time)
            let (side, expression) = mischief.withLock { mischief in
                (
                    sides.randomElement(using: &mischief.random) ?? [:],
                    expressions.randomElement(using: &mischief.random) ?? ""
                )
            }
            switch change {
            case 0, 1: world.schedules.change(id) { $0.bot.config["execution"] = .object(side) }
            case 2: world.schedules.change(id) { $0.schedule = expression }
            case 3: world.schedules.change(id) { $0.bot.isEnabled.toggle() }
            case 4: world.beginAnew()
            // As the platform's own events do, which know no basis.
            case 5:
                let now = world.clock.now
                world.schedules.change(id) { schedule in
                    let next = (try? ScheduleRule(schedule))?.next(after: now.secondsSince1970)
                    schedule.cursor = ScheduleCursor(value: next.map { .integer($0) }, basis: nil)
                }
            default: break
            }
            await world.reconcile()
            await world.schedule()
            try await world.endRuns()
        }
        return world
    }
}
