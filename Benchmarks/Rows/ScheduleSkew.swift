import Control
import Model
import TestSupport
import Util

/// How long after its slot a run is asked of the engine, with many schedules that aren't due.
enum ScheduleSkew {
    private static let idle = 1000
    /// How many schedules are due in each second.
    private static let together = 5

    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let seconds = bench.scale.seconds
        // Beyond the first pass.
        let first = Timestamp.now.secondsSince1970 + 4
        var entries = try ScheduleEntry.idle(idle, after: .now)
        for second in 0..<seconds {
            entries += try ScheduleEntry.due(together, at: first + Int64(second), named: "skew-\(second)")
        }
        let (skew, bare) = try await SchedulerBench(entries).run { scheduler in
            guard Timestamp.now.secondsSince1970 < first else { throw FixtureError("the first pass took too long") }
            let bare = try await timer(from: first, seconds)
            let starts = scheduler.engine.starts
            guard starts.count == together * seconds else {
                throw FixtureError("\(starts.count) starts; expected \(together * seconds)")
            }
            let skew = starts.map { $0.time.seconds(since: Timestamp(secondsSince1970: $0.slot.time)) }
            return (Samples(skew), bare)
        }
        let late = skew.quantile(0.99)
        return Report(
            figures: [
                Figure(
                    "start skew, \(idle) idle schedules: from the slot to the engine's create call",
                    "p99 \(time(late)), median \(time(skew.median))",
                    spread: skew.range(time),
                    target: "p99 ≤ 50 ms",
                    isReached: late <= 0.05
                ),
                Figure(
                    "a bare timer in the same seconds",
                    "p99 \(time(bare.quantile(0.99))), median \(time(bare.median))",
                    spread: bare.range(time)
                ),
            ],
            notes: [
                "Start skew: \(together) schedules are due in each of \(seconds) seconds, with store and engine in memory as above. The "
                    + "bare timer sleeps until half past each of these seconds: what the system itself is late."
            ]
        )
    }

    /// How late a sleep ends in the middle of each second, when the scheduler has nothing to do.
    private static func timer(from first: Int64, _ seconds: Int) async throws -> Samples {
        var samples = Samples()
        for second in 0..<seconds {
            let time = Timestamp(secondsSince1970: first + Int64(second)).advanced(by: .milliseconds(500))
            try await Task.sleep(untilWallClock: time)
            samples.add(Timestamp.now.seconds(since: time))
        }
        return samples
    }
}
