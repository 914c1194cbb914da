import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import Control

/// Schedules that are a platform's or a scheduler's, and change sides: no slot runs on both.
@Suite struct PlatformSchedulesTests {
    static let start = Timestamp(secondsSince1970: 1_767_258_000)

    @Test func thePlatformKeepsWhatItCanAndTheSchedulerTheRest() async throws {
        let world = PlatformWorld([.sample("a", "* * * * *"), .sample("b", "* * * * *", ["missed": "all"])])
        try await world.minutes(5)
        #expect(world.platform.state.withLock { Set($0.fired.map(\.id)) } == ["a"])
        #expect(world.claimed.map(\.id).allSatisfy { $0 == "b" })
        #expect(world.platform.state.withLock { $0.fired.count } == 5)
        #expect(world.claimed.count == 5)
    }

    @Test func aChangedScheduleIsChangedInPlaceAndADisabledOneRemoved() async throws {
        let world = PlatformWorld([.sample("a", "* * * * *")])
        try await world.minutes(2)
        let reference = world.platform.state.withLock { $0.kept["a"]?.run.reference }
        world.schedules.put(.sample("a", "*/2 * * * *", ["overlap": "allow"]))
        try await world.minutes(2)
        #expect(world.platform.state.withLock { $0.kept["a"]?.run.reference } == reference)
        #expect(world.platform.state.withLock { $0.updates } == 1)
        world.schedules.change("a") { $0.bot.isEnabled = false }
        try await world.minutes(2)
        #expect(world.platform.state.withLock { $0.kept.isEmpty })
        world.schedules.put(.sample("a", "* * * * *", ["suspend": true]))
        try await world.minutes(2)
        #expect(world.platform.state.withLock { $0.kept.isEmpty })
        #expect(world.claimed.isEmpty)
    }

    @Test func aScheduleThatComesBackToTheSchedulerStartsFromThen() async throws {
        let world = PlatformWorld([.sample("a", "* * * * *")])
        try await world.minutes(3)
        // Nobody looks for an hour: the platform runs on, and meanwhile the schedule becomes one that makes up for everything.
        world.clock.turn(to: world.clock.now.advanced(by: .seconds(1800)))
        world.platform.pass()
        world.schedules.change("a") { $0.bot.config["execution"] = ["missed": "all"] }
        world.clock.turn(to: world.clock.now.advanced(by: .seconds(1800)))
        world.platform.pass()
        let change = world.clock.now
        try await world.minutes(3)
        #expect(world.claimed.count == 3)
        #expect(world.claimed.allSatisfy { $0.slot.time > change.secondsSince1970 })
        #expect(world.ranTwice.isEmpty)
    }

    @Test func thePlatformWaitsForWhatTheSchedulerHasBegun() async throws {
        let world = PlatformWorld([.sample("a", "* * * * *", ["missed": "all"])])
        try await world.minutes(2, ending: false)
        let key = try #require(world.claimed.first)
        world.schedules.change("a") { $0.bot.config["execution"] = .object([:]) }
        // The claimed run doesn't end.
        try await world.minutes(3, ending: false)
        #expect(world.platform.state.withLock { $0.kept.isEmpty && $0.fired.isEmpty })
        #expect(world.failures.contains { $0.contains("begun by a scheduler, still goes") })
        try await world.minutes(3)
        #expect(world.platform.state.withLock { !$0.fired.isEmpty })
        #expect(world.claimed.contains(key) && world.ranTwice.isEmpty)
    }

    @Test func anUnreadablePlatformLetsNoSlotBeClaimed() async throws {
        let isDown = Mutex(false)
        let world = PlatformWorld([.sample("a", "* * * * *", ["missed": "all"])]) { () async throws(RunnerError) in
            if isDown.withLock({ $0 }) { throw RunnerError(.unavailable, "down") }
        }
        try await world.minutes(2)
        let count = world.claimed.count
        isDown.withLock { $0 = true }
        try await world.minutes(2)
        #expect(world.claimed.count == count)
        isDown.withLock { $0 = false }
        try await world.minutes(2)
        #expect(world.claimed.count == count + 4)
    }

    @Test func aBrokenScheduleLeavesWhatThePlatformHas() async throws {
        let world = PlatformWorld([.sample("a", "* * * * *")])
        try await world.minutes(2)
        world.schedules.change("a") { $0.schedule = "no cron" }
        try await world.minutes(2)
        #expect(world.platform.state.withLock { $0.kept["a"] != nil })
        world.schedules.remove("a")
        try await world.minutes(2)
        #expect(world.platform.state.withLock { $0.kept.isEmpty })
    }

    /// Schedules change sides at random, time passes and connections break within every call, the scheduler looks in the middle of
    /// what the reconciler does and the other way round, and both are begun anew: no slot is run by both.
    @Test(arguments: 1...40)
    func noSlotRunsOnBothSides(seed: Int) async throws {
        let world = try await PlatformWorld.random(seed: UInt64(seed))
        #expect(world.ranTwice.isEmpty, "\(world.ranTwice)")
        #expect(world.platform.state.withLock { Set($0.fired).count == $0.fired.count })
    }
}
