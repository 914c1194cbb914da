import Model
import Testing
import Util

@testable import Logs

@Suite struct StoreScheduleTests {
    private func schedule(parallel: Int = 2) throws -> StoreSchedule {
        let backoff = try Backoff(initial: .seconds(1), maximum: .seconds(60), jitter: 0)
        return StoreSchedule(policy: StorePolicy(), backoff: backoff, parallel: parallel)
    }

    @Test func linesWaitForAgeOrSize() throws {
        var schedule = try schedule()
        #expect(schedule.wait(at: .zero) == nil)
        let isFirst = schedule.add("a", bytes: 100, isUrgent: false, at: .seconds(5))
        #expect(isFirst)
        #expect(schedule.wait(at: .seconds(5)) == .seconds(30))
        #expect(schedule.take(at: .seconds(34)).isEmpty)
        let isEarlier = schedule.add("a", bytes: 100, isUrgent: false, at: .seconds(10))
        #expect(!isEarlier)
        let isLarge = schedule.add("b", bytes: 1 << 20, isUrgent: false, at: .seconds(11))
        #expect(isLarge)
        #expect(schedule.take(at: .seconds(11)) == ["b"])
        #expect(schedule.take(at: .seconds(35)) == ["a"])
        #expect(schedule.take(at: .seconds(35)).isEmpty)
    }

    @Test func whatComesWhileABotIsStoredIsNotForgotten() throws {
        var schedule = try schedule()
        _ = schedule.add("a", bytes: 100, isUrgent: true, at: .zero)
        #expect(schedule.take(at: .zero) == ["a"])
        _ = schedule.add("a", bytes: 50, isUrgent: false, at: .seconds(1))
        // The spool was looked at before these were written.
        schedule.stored("a", left: 0, object: 100, at: .seconds(2))
        #expect(schedule.wait(at: .seconds(2)) == .seconds(30))
        #expect(schedule.take(at: .seconds(32)) == ["a"])
        schedule.stored("a", left: 0, object: 150, at: .seconds(33))
        #expect(schedule.wait(at: .seconds(33)) == nil)
    }

    @Test func aCrashLoopIsStoredEveryFewSeconds() throws {
        var schedule = try schedule()
        for second in 0..<10 {
            _ = schedule.add("a", bytes: 10, isUrgent: true, at: .seconds(second))
            let isDue = schedule.take(at: .seconds(second)) == ["a"]
            #expect(isDue == (second % 3 == 0), "\(second)")
            if isDue { schedule.stored("a", left: 0, object: 10, at: .seconds(second)) }
        }
    }

    @Test func thoseThatWaitLongestComeFirstAndABacklogGoesBehindThem() throws {
        var schedule = try schedule(parallel: 1)
        for (number, id) in ["c", "a", "b"].enumerated() {
            _ = schedule.add(BotID(id), bytes: 3 << 20, isUrgent: false, at: .seconds(number))
        }
        var order: [BotID] = []
        for second in 3..<9 {
            let due = schedule.take(at: .seconds(second))
            order += due
            for id in due { schedule.stored(id, left: 2 << 20, object: 50 << 20, at: .seconds(second)) }
        }
        #expect(order == ["c", "a", "b", "c", "a", "b"])
    }

    @Test func f23AfterAFailureOneTriesForAll() throws {
        var schedule = try schedule(parallel: 3)
        for id in ["a", "b", "c", "d"] { _ = schedule.add(BotID(id), bytes: 2 << 20, isUrgent: false, at: .zero) }
        for id in schedule.take(at: .zero) { schedule.failed(id, at: .zero) }
        #expect(schedule.failures == 3)
        #expect(schedule.take(at: .seconds(3)).isEmpty)
        #expect(schedule.wait(at: .seconds(3)) == .seconds(1))
        let one = schedule.take(at: .seconds(4))
        #expect(one.count == 1)
        #expect(schedule.take(at: .seconds(5)).isEmpty)
        for id in one { schedule.stored(id, left: 0, object: 10, at: .seconds(5)) }
        #expect(schedule.take(at: .seconds(5)).count == 3)
    }

    @Test func f22SmallAdditionsToObjectsThatAreSentWholeWaitLonger() {
        let policy = StorePolicy()
        #expect(policy.wait(bytes: 100, object: nil) == .seconds(30))
        #expect(policy.wait(bytes: 100, object: 10_000) == .seconds(30))
        #expect(policy.wait(bytes: 100, object: 500_000) == .seconds(120))
        #expect(policy.wait(bytes: 100, object: 4 << 20) == .seconds(300))
        #expect(policy.wait(bytes: 200_000, object: 500_000) == .seconds(30))
        #expect(policy.wait(bytes: 1 << 20, object: 4 << 20) == .zero)
        #expect(policy.wait(bytes: 100, object: 5 << 20) == .seconds(30))
        #expect(policy.wait(bytes: 1 << 20, object: 1 << 30) == .zero)
    }
}
