import Control
import Foundation
import Model
import Runtime
import TestSupport
import Util

/// Many schedules due in the same second: from the slot until the last one is handed to the engine.
enum ScheduleRush {
    /// What a round took, in seconds.
    private struct Round: Sendable {
        let wall: Double
        let cpu: Double
        /// CPU of the store's and engine's calls alone, and of making the specifications alone.
        let calls: Double
        let specs: Double
    }

    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let count = bench.scale.fleet
        var rounds: [Round] = []
        for number in 1...bench.scale.rounds {
            let round = try await measure(count)
            say(
                "schedules: rush \(number) of \(bench.scale.rounds): \(time(round.wall)), \(time(round.cpu)) of CPU; the calls "
                    + "alone \(time(round.calls)), specifications alone \(time(round.specs))"
            )
            rounds.append(round)
        }
        return report(rounds, count)
    }

    private static func measure(_ count: Int) async throws -> Round {
        // Far enough away for the first pass, and short of the next one ten seconds later.
        let slot = Timestamp.now.secondsSince1970 + 5
        let entries = try ScheduleEntry.due(count, at: slot)
        let (specs, all) = try specifications(entries, slot)
        let calls = try await Self.calls(entries, all, slot)
        return try await SchedulerBench(entries).run { scheduler in
            let begin = Timestamp(secondsSince1970: slot)
            guard Timestamp.now < begin.advanced(by: .milliseconds(-300)) else {
                throw FixtureError(
                    "the first pass over \(count) schedules took longer than the time until they are due"
                )
            }
            try await Task.sleep(untilWallClock: begin.advanced(by: .milliseconds(-200)))
            let before = try ProcessUsage(pid: getpid())
            try await eventually(within: .seconds(60), "\(count) runs are started") {
                scheduler.runs.running == count
            }
            let after = try ProcessUsage(pid: getpid())
            let starts = scheduler.engine.starts
            guard starts.count == count, let last = starts.map(\.time).max() else {
                throw FixtureError("\(starts.count) starts of \(count) schedules; expected one each")
            }
            return Round(wall: last.seconds(since: begin), cpu: after.cpu(since: before), calls: calls, specs: specs)
        }
    }

    /// What making the specifications takes, which any scheduler has to: the config as JSON, and the hash.
    private static func specifications(_ entries: [ScheduleEntry], _ slot: Int64) throws -> (
        cpu: Double, all: [LaunchSpec]
    ) {
        let builder = LaunchSpecBuilder()
        let before = try ProcessUsage(pid: getpid())
        let all = try entries.map { try builder.spec(for: Executable($0.schedule, slot: Slot(slot))) }
        return (try ProcessUsage(pid: getpid()).cpu(since: before), all)
    }

    /// What the store's and the engine's calls take that a run needs, one after the other with nothing between.
    private static func calls(_ entries: [ScheduleEntry], _ specs: [LaunchSpec], _ slot: Int64) async throws -> Double {
        let bench = SchedulerBench(entries)
        let begin = Timestamp(secondsSince1970: slot)
        let before = try ProcessUsage(pid: getpid())
        for start in stride(from: 0, to: entries.count, by: 1000) {
            let batch = start..<min(start + 1000, entries.count)
            let ids = entries[batch].map(\.schedule.id)
            let read = try await bench.schedules.schedules(ids).count
            let busy = try await bench.runs.unfinished(of: ids).count
            let claims = ids.map { id in
                RunRecord(id: id, slot: Slot(slot), owner: "floor", claimedAt: begin, notBefore: begin, startBy: begin)
            }
            let added = try await bench.runs.add(claims).count
            let moves = entries[batch].map { CursorMove(of: $0.schedule, to: slot + 86_400, basis: "") }
            let moved = try await bench.schedules.move(moves).count
            guard read == ids.count, busy == 0, added == ids.count, moved == ids.count else {
                throw FixtureError(
                    "the store's calls alone: \(read) read, \(added) added, \(moved) moved of \(ids.count)"
                )
            }
            for (claim, spec) in zip(claims, specs[batch]) {
                let starting = claim.next { $0.phase = .starting }
                let isAnnounced = try await bench.runs.replace(starting)
                let others = try await bench.runs.unfinished(of: [claim.id]).count
                try await bench.engine.start(spec, attempt: 0)
                let isNoted = try await bench.runs.replace(starting.next { $0.phase = .running })
                guard isAnnounced, isNoted, others == 1 else { throw FixtureError("the store's calls alone failed") }
            }
        }
        return try ProcessUsage(pid: getpid()).cpu(since: before)
    }

    private static func report(_ rounds: [Round], _ count: Int) -> Report {
        let wall = Samples(rounds.map(\.wall))
        let cpu = Samples(rounds.map(\.cpu))
        let calls = Samples(rounds.map(\.calls))
        let specs = Samples(rounds.map(\.specs))
        let floor = calls.median + specs.median
        return Report(
            figures: [
                Figure(
                    "\(count) schedules due in one second: until the last is handed to the engine",
                    time(wall.median),
                    spread: wall.range(time),
                    target: "≤ 2 s (for 10,000)",
                    isReached: wall.median <= 2
                ),
                Figure(
                    "the same: CPU",
                    "\(time(cpu.median)), \(times(cpu.median / floor)) the calls and specifications alone",
                    spread: cpu.range(time),
                    target: "≤ 1 s of CPU (for 10,000)",
                    isReached: cpu.median <= 1
                ),
                Figure(
                    "the store's and engine's calls alone; making the specifications alone: CPU",
                    "\(time(calls.median)); \(time(specs.median))",
                    spread: "\(calls.range(time)); \(specs.range(time))"
                ),
            ],
            notes: [
                "Schedules that are due are measured with the real scheduler in the benchmark's process, its log written as JSON to "
                    + "`/dev/null`. Store and engine are in memory: the stand-in MongoDB takes 4 to 5 ms for each update, and a "
                    + "run has three, so 10,000 of them would measure that server for minutes and nothing of the scheduler.",
                "A run that is started has been claimed (1,000 at a time), announced, made sure to be alone, handed to the engine, "
                    + "and noted as running; \(SchedulerOptions().parallelStarts) are started at the same time, as by default. CPU counts from 0.2 s before the slot.",
            ]
        )
    }
}
