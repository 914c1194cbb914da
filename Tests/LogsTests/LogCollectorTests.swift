import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

@Suite(.timeLimit(.minutes(3))) struct LogCollectorTests {
    private let place: Place
    private let follower = FakeFollower()

    init() throws { place = try Place() }

    /// Runs a collector while `body` goes on, then ends it as a shutdown does.
    private func running(_ collector: LogCollector, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await collector.run() }
            try await body()
            group.cancelAll()
        }
    }

    @Test func f19EveryLineIsStoredOnceAcrossFailuresOfTheEngine() async throws {
        let collector = try place.collector(follower, place.spool())
        follower.write("r", lines(0..<500))
        follower.fail(times: 20, after: 15)
        try await running(collector) {
            collector.observed([run("r")], of: nil)
            try await eventually(within: .seconds(40)) { try await self.place.stored("a").count >= 500 }
            follower.write("r", lines(500..<600), ends: true)
            try await eventually(within: .seconds(40)) { try await self.place.stored("a").count >= 600 }
        }
        #expect(try await place.stored("a") == (0..<600).map { "line \($0)" })
    }

    @Test func f19MoreRunsThanMayBeFollowedAtOnceHaveTheirTurns() async throws {
        let collector = try place.collector(follower, place.spool(), mostFollowed: 2)
        let ids = (0..<7).map { BotID("bot-\($0)") }
        let runs = ids.map { run("r-\($0)", of: $0) }
        try await running(collector) {
            collector.observed(runs, of: nil)
            for round in 0..<5 {
                for run in runs { follower.write(run.reference, lines((round * 10)..<(round * 10 + 10))) }
                for id in ids {
                    try await eventually(within: .seconds(40)) {
                        try await self.place.stored(id).count >= round * 10 + 10
                    }
                }
            }
            // One that has ended leaves its place to the others.
            for run in runs { follower.end(run.reference) }
        }
        for id in ids { #expect(try await place.stored(id) == (0..<50).map { "line \($0)" }) }
        #expect(follower.mostFollowings == 2)
    }

    @Test func f19AProcessThatDiesIsFollowedByOneThatGoesOn() async throws {
        for round in 0..<10 {
            // Gone without any shutdown of its own: what is in memory is lost with it.
            let collector = try place.collector(follower, place.spool())
            follower.write("r", lines((round * 50)..<(round * 50 + 50)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await collector.run() }
                collector.observed([run("r")], of: nil)
                try await eventually(within: .seconds(40)) { try await self.place.stored("a").count >= round * 50 + 25 }
                group.cancelAll()
            }
        }
        follower.end("r")
        let collector = try place.collector(follower, place.spool())
        try await running(collector) {
            collector.observed([run("r", exited: true)], of: nil)
            await collector.readToEnd(of: run("r", exited: true))
        }
        await collector.finish(within: .seconds(10))
        #expect(try await place.stored("a") == (0..<500).map { "line \($0)" })
    }

    @Test func f20TheLastLinesBeforeAnEndAreStoredAndTheEndedRunIsReadOnce() async throws {
        follower.write("r", lines(0..<10), ends: true)
        let spool = try place.spool()
        let collector = try place.collector(follower, spool)
        try await running(collector) {
            // It was never seen before it ended.
            await collector.readToEnd(of: run("r", exited: true))
            for _ in 0..<5 { collector.observed([run("r", exited: true)], of: nil) }
            try await eventually(within: .seconds(40)) { try await self.place.stored("a").count == 10 }
        }
        #expect(follower.follows("r") == [nil])
        #expect(try spool.bot("a", now: noon).begin(run("r", exited: true)) == .ended)
    }

    @Test func f20LinesOfAnEndedRunComeBeforeItsSuccessors() async throws {
        follower.write("old", lines(0..<200, "old"), ends: true)
        follower.write("new", lines(0..<10, "new"))
        let collector = try place.collector(follower, place.spool())
        try await running(collector) {
            collector.observed([run("new", made: 10), run("old", exited: true)], of: "a")
            try await eventually(within: .seconds(40)) { try await self.place.stored("a").count == 210 }
        }
        #expect(
            try await place.stored("a") == (0..<200).map { "old \($0)" } + (0..<10).map { "new \($0)" }
        )
    }

    @Test func aRunThatIsGoneIsForgottenAndOneThatIsBackGoesOn() async throws {
        follower.write("r", lines(0..<5))
        let collector = try place.collector(follower, place.spool())
        try await running(collector) {
            for round in 1...5 {
                collector.observed([run("r")], of: nil)
                try await eventually(within: .seconds(40)) { try await self.place.stored("a").count == round * 5 }
                collector.observed([], of: nil)
                follower.write("r", lines((round * 5)..<(round * 5 + 5)))
            }
            collector.observed([run("r")], of: nil)
            try await eventually(within: .seconds(40)) { try await self.place.stored("a").count == 30 }
        }
        #expect(try await place.stored("a") == (0..<30).map { "line \($0)" })
    }

    @Test func readingTheEndNeverTakesForEver() async throws {
        let collector = try place.collector(follower, place.spool(), finalReading: .milliseconds(20))
        // It says it has ended, and its output never does.
        try await running(collector) { await collector.readToEnd(of: run("r", exited: true)) }
        var created = run("c")
        created.phase = .created
        await (try place.collector(follower, Spool(path: place.folder.file("third")), finalReading: .seconds(3600)))
            .readToEnd(of: created)
        // And once the collector has ended nobody waits for it.
        let start = ContinuousClock.now
        await (try place.collector(follower, Spool(path: place.folder.file("other")), finalReading: .milliseconds(20)))
            .readToEnd(of: run("r", exited: true))
        await collector.readToEnd(of: run("r", exited: true))
        #expect(start.duration(to: .now) < .seconds(10))
    }

    @Test func f23AnObjectStoreThatIsDownFromTheStartGetsEverythingOnceItIsBack() async throws {
        place.storage.fail { _, _ in .before }
        let spool = try place.spool()
        let collector = try place.collector(follower, spool)
        for bot in 0..<5 { follower.write("r\(bot)", lines(0..<300, "bot \(bot)")) }
        try await running(collector) {
            collector.observed((0..<5).map { run("r\($0)", of: BotID("bot \($0)")) }, of: nil)
            try await eventually(within: .seconds(40)) {
                try spool.all.allSatisfy { bot in
                    try bot.withDisk { disk throws(LogsError) in disk.state.runs.first?.position?.text } == "300"
                } && spool.all.count == 5
            }
            place.storage.fail { _, _ in nil }
            for bot in 0..<5 {
                try await eventually(within: .seconds(40)) {
                    try await self.place.stored(BotID("bot \(bot)")).count == 300
                }
            }
        }
        for bot in 0..<5 {
            #expect(try await place.stored(BotID("bot \(bot)")) == (0..<300).map { "bot \(bot) \($0)" })
        }
    }
}
