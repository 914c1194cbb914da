import Control
import Foundation
import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Util

/// The real scheduler in this process, between a store in memory and an engine that only notes what it is asked.
struct SchedulerBench: Sendable {
    let schedules: MemoryScheduleStore
    let runs = RunLedger()
    let engine = StartRecorder()

    init(_ entries: [ScheduleEntry]) { schedules = MemoryScheduleStore(entries.map(\.schedule)) }

    /// Runs a body while the scheduler runs, from the end of its first full pass.
    func run<Value: Sendable>(_ body: @Sendable (SchedulerBench) async throws -> Value) async throws -> Value {
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard null >= 0 else { throw FixtureError("/dev/null can't be opened") }
        defer { close(null) }
        // As the program logs, down to the write.
        let sink = DescriptorSink(descriptor: null)
        let logger = Logger(label: "runtime") { label in
            LineLogHandler(label: label, options: LoggingOptions(format: .json), sink: sink)
        }
        let passes = Mutex(0)
        let scheduler = Scheduler(
            schedules: schedules,
            runs: runs,
            runner: engine,
            results: nil,
            builder: LaunchSpecBuilder(),
            options: SchedulerOptions(onPass: { _ in passes.withLock { $0 += 1 } }),
            logger: logger
        )
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                await scheduler.run()
                return nil
            }
            defer { group.cancelAll() }
            try await eventually(within: .seconds(60), "a first full pass") { passes.withLock { $0 > 0 } }
            return try await body(self)
        }
    }
}

extension Task where Success == Never, Failure == Never {
    /// Sleeps until the wall clock shows a time.
    static func sleep(untilWallClock time: Timestamp) async throws {
        let left = time.duration(since: .now)
        if left > .zero { try await sleep(for: left, tolerance: .zero) }
    }
}
