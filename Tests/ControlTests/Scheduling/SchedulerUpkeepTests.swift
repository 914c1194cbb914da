import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import Control

/// What a scheduler keeps in order beside its slots: leftovers, cursors after a clock that was ahead, long backlogs.
@Suite struct SchedulerUpkeepTests {
    private let start: Timestamp = Timestamp(secondsSince1970: 1_767_258_000)

    /// A scheduler whose steps the test does, and what it logs.
    private struct Bench {
        let clock: SimulatedClock
        let store: MemoryScheduleStore
        let runs = MemoryRunStore()
        let runner: TidyRunner
        let log = LogTexts()
        let scheduler: Scheduler

        init(at time: Timestamp, _ schedules: [BotSchedule]) {
            clock = SimulatedClock(time)
            store = MemoryScheduleStore(schedules)
            runner = TidyRunner(base: FakeCompletionRunner(clock: clock))
            scheduler = Scheduler(
                schedules: store,
                runs: runs,
                runner: runner,
                results: nil,
                builder: LaunchSpecBuilder(),
                options: SchedulerOptions(),
                clock: clock,
                owner: "us",
                logger: log.logger
            )
        }

        /// The schedules that stand still because the clock was ahead.
        var silent: Set<BotID> { scheduler.memory.withLock { Set($0.silences.keys) } }

        /// Full passes every five minutes for as long.
        func passes(for time: Duration) async {
            let end = clock.now.advanced(by: time)
            while clock.now < end {
                clock.turn(to: clock.now.advanced(by: .seconds(300)))
                await scheduler.lookAtSchedules()
                await scheduler.removeLeftovers()
            }
        }
    }

    @Test func whatWasKeptForASchedulesThatIsGoneGoesAfterAnHourOfFullReadings() async {
        let bench = Bench(at: start, [.sample("a", "@yearly"), .sample("b", "@yearly")])
        await bench.passes(for: .seconds(3000))
        bench.store.remove("b")
        await bench.passes(for: .seconds(3300))
        #expect(bench.runner.asked.allSatisfy { $0 == ["a", "b"] } && !bench.runner.asked.isEmpty)
        await bench.passes(for: .seconds(900))
        #expect(bench.runner.asked.last == ["a"])
        // Not with every pass.
        let count = bench.runner.asked.count
        await bench.scheduler.removeLeftovers()
        #expect(bench.runner.asked.count == count)
    }

    @Test func whatStillRunsOfAScheduleThatIsGoneKeepsItsState() async throws {
        let bench = Bench(at: start, [.sample("a", "@yearly")])
        let run = RunRecord(id: "gone", slot: 60, owner: "o", claimedAt: start, notBefore: start, startBy: start)
        _ = try await bench.runs.add([run])
        await bench.passes(for: .seconds(4200))
        #expect(bench.runner.asked.last == ["a", "gone"])
    }

    @Test func theHistoryOfAScheduleThatIsGoneGoesAMonthAfterItsLastRun() async throws {
        let bench = Bench(at: start, [.sample("a", "@yearly")])
        let (day, month) = (Duration.seconds(86_400), Duration.seconds(30 * 86_400))
        func ended(_ id: BotID, _ slot: Slot, ago: Duration) -> RunRecord {
            RunRecord.skipped(id, slot, owner: "o", at: start.advanced(by: .zero - ago), reason: "")
        }
        let old = month + day
        _ = try await bench.runs.add([
            ended("a", 60, ago: old), ended("gone", 60, ago: old), ended("gone", 120, ago: old),
            ended("lately", 60, ago: old), ended("lately", 120, ago: month - day), ended("going", 60, ago: old),
            RunRecord(id: "going", slot: 120, owner: "o", claimedAt: start, notBefore: start, startBy: start),
        ])
        await bench.passes(for: .seconds(3000))
        #expect(try await bench.runs.history(of: nil, limit: 100).count == 7)
        await bench.passes(for: .seconds(1200))
        let left = try await bench.runs.history(of: nil, limit: 100)
        #expect(left.map(\.id.text).sorted() == ["a", "going", "going", "lately", "lately"])
    }

    @Test func unknownIsNotEmpty() async {
        let bench = Bench(at: start, [.sample("a", "@yearly"), .sample("b", "@yearly")])
        await bench.passes(for: .seconds(3000))
        // Nobody can read for an hour: what is gone afterwards may have gone a moment ago.
        for _ in 0..<13 { bench.store.failNext(StoreError(.unavailable, "down")) }
        await bench.passes(for: .seconds(3900))
        bench.store.remove("b")
        await bench.passes(for: .seconds(3300))
        #expect(bench.runner.asked.allSatisfy { $0.contains("b") })
        // A document whose id isn't known may be anyone's.
        bench.store.fill([["config": [:]], ["id": "a", "config": ["schedule": "@yearly"]]])
        await bench.passes(for: .seconds(9000))
        #expect(bench.runner.asked.allSatisfy { $0.contains("b") })
        // Nor is a store without any schedule believed.
        let count = bench.runner.asked.count
        bench.store.fill([])
        await bench.passes(for: .seconds(9000))
        #expect(bench.runner.asked.count == count)
    }

    @Test func whatWasAskedForHidesNoSlotThatHasRun() async throws {
        let bench = Bench(at: start, [.sample("a", "@hourly")])
        // The clock was ahead: the slot of tomorrow has run, and many runs were asked for after it.
        let day: Int64 = 86_400
        let latest = start.secondsSince1970 / 3600 * 3600 + day
        let manual = (1...30).map { Slot(latest + $0, trigger: .manual) }
        let runs = ([Slot(latest)] + manual).map {
            RunRecord.skipped("a", $0, owner: "o", at: start, reason: "")
        }
        _ = try await bench.runs.add(runs)
        await bench.scheduler.lookAtSchedules()
        guard case .schedule(let schedule)? = try await bench.store.schedules().first else { return }
        #expect(schedule.cursor.time == latest + 3600)
    }

    @Test func aScheduleThatStandsStillBecauseTheClockWasAheadIsNamedOnce() async throws {
        let bench = Bench(at: start, [.sample("a", "@hourly"), .sample("b", "@hourly")])
        await bench.scheduler.lookAtSchedules()
        #expect(bench.log.count(of: "clock was ahead") == 0)
        bench.clock.set(start.advanced(by: .seconds(10 * 86_400)))
        await bench.scheduler.claimSlots()
        bench.clock.set(start)
        for _ in 0..<3 { await bench.scheduler.lookAtSchedules() }
        #expect(bench.log.count(of: "clock was ahead") == 2)
        #expect(bench.log.count(of: "warning the clock was ahead when a slot ran") == 2)
        #expect(bench.log.count(of: "\"cursor\": 2026-01-11T10:00:00Z") == 2, "\(bench.log.text)")
        #expect(bench.silent == ["a", "b"])
        // Switched off it isn't silent by mistake.
        bench.store.change("b") { $0.bot.isEnabled = false }
        await bench.scheduler.lookAtSchedules()
        #expect(bench.silent == ["a"])
        // Somebody says from which slot on it is to go on.
        let next = start.secondsSince1970 / 3600 * 3600 + 3600
        bench.store.change("a") { $0.cursor = .init(next, basis: $0.cursor.basis) }
        await bench.scheduler.lookAtSchedules()
        #expect(bench.silent.isEmpty)
        bench.clock.set(Timestamp(secondsSince1970: next))
        for run in try await bench.runs.unfinished(of: nil) {
            #expect(try await bench.runs.replace(run.next { $0.phase = .ended }))
        }
        await bench.scheduler.claimSlots()
        #expect(try await bench.runs.unfinished(of: ["a"]).contains { $0.slot == Slot(next) })
        bench.store.change("a") { $0.cursor = .init() }
        await bench.scheduler.lookAtSchedules()
        #expect(bench.silent == ["a"])
        bench.clock.set(start.advanced(by: .seconds(11 * 86_400)))
        await bench.scheduler.lookAtSchedules()
        #expect(bench.silent.isEmpty)
    }
}

/// A runner that tells what it was to keep.
private final class TidyRunner: CompletionRunner, RunnerHousekeeping {
    let base: FakeCompletionRunner
    private let state = Mutex<[Set<BotID>]>([])

    init(base: FakeCompletionRunner) { self.base = base }

    /// What it was told of, each time.
    var asked: [Set<BotID>] { state.withLock { $0 } }

    func removeLeftovers(known: Set<BotID>) async throws(RunnerError) { state.withLock { $0.append(known) } }

    func platform() async throws(RunnerError) -> String { try await base.platform() }
    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] { try await base.runs(of: kind) }
    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await base.runs(of: kind, id: id)
    }
    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        try await base.start(spec, attempt: attempt)
    }
    func stop(_ run: ObservedRun) async throws(RunnerError) { try await base.stop(run) }
    func remove(_ run: ObservedRun) async throws(RunnerError) { try await base.remove(run) }
    func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? {
        try await base.result(of: run, limit: limit)
    }
}

/// Log lines, with their metadata, as text.
private final class LogTexts: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    func count(of text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogTexts
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
