import Model
import TestSupport
import Testing

@testable import Control

@Suite(.timeLimit(.minutes(1))) struct WorkQueueTests {
    /// Runs a queue while `body` goes on, then ends it.
    func running(
        _ queue: WorkQueue<String, ManualClock>,
        _ work: @escaping @Sendable (String) async -> Void,
        _ body: () async throws -> Void
    ) async rethrows {
        async let loop: Void = queue.run(work)
        try await body()
        queue.close()
        await loop
    }

    @Test func aKeyAddedTwiceIsWorkedOnOnce() async {
        let queue = WorkQueue<String, ManualClock>(clock: ManualClock())
        let worked = Watched<[String]>([])
        queue.add("a")
        queue.add("a")
        queue.add("b")
        await running(queue, { key in worked.withLock { $0.append(key) } }) {
            await worked.until { $0.contains("b") && $0.contains("a") }
        }
        #expect(worked.withLock { $0.sorted() } == ["a", "b"])
    }

    @Test func f02AKeyAddedWhileWorkedOnComesAgainAfterwardsAndNeverAtTheSameTime() async {
        let queue = WorkQueue<String, ManualClock>(clock: ManualClock())
        let seen = Watched<(now: Int, most: Int, total: Int)>((0, 0, 0))
        let gate = Gate()
        gate.close("a")
        queue.add("a")
        await running(
            queue,
            { key in
                guard key == "a" else {
                    await gate.pass("b")
                    return
                }
                seen.withLock { seen in
                    seen.now += 1
                    seen.most = max(seen.most, seen.now)
                }
                await gate.pass("a")
                seen.withLock { seen in
                    seen.now -= 1
                    seen.total += 1
                }
            }
        ) {
            await gate.arrival(of: "a")
            queue.add("a")
            queue.add("a")
            // Due after "a", so once it is taken, "a" would have been.
            gate.close("b")
            queue.add("b")
            await gate.arrival(of: "b")
            #expect(queue.counts.working == 2)
            gate.open("b")
            gate.open("a")
            await seen.until { $0.total == 2 }
        }
        #expect(seen.withLock { $0.most } == 1)
        #expect(seen.withLock { $0.total } == 2)
    }

    @Test func f08AKeyThatHangsDelaysNoOther() async {
        let queue = WorkQueue<String, ManualClock>(clock: ManualClock())
        let done = Watched<Set<String>>([])
        let gate = Gate()
        for index in 0..<5 {
            gate.close(BotID("slow \(index)"))
            queue.add("slow \(index)")
        }
        await running(
            queue,
            { key in
                await gate.pass(BotID(key))
                done.withLock { _ = $0.insert(key) }
            }
        ) {
            for index in 0..<5 { await gate.arrival(of: BotID("slow \(index)")) }
            queue.add("quick")
            await done.until { $0 == ["quick"] }
            for index in 0..<5 { gate.open(BotID("slow \(index)")) }
            await done.until { $0.count == 6 }
        }
    }

    @Test func aKeyThatWaitsIsWorkedOnWhenItsTimeHasCome() async {
        let clock = ManualClock()
        let queue = WorkQueue<String, ManualClock>(clock: clock)
        let worked = Watched<[String]>([])
        await running(queue, { key in worked.withLock { $0.append(key) } }) {
            queue.add("late", after: .seconds(60))
            queue.add("early", after: .seconds(10))
            queue.add("now")
            await worked.until { $0 == ["now"] }
            #expect(queue.counts.waiting == 2)
            clock.advance(by: .seconds(10))
            queue.add("nudge")
            await worked.until { $0.contains("nudge") && $0.contains("early") }
            #expect(!worked.withLock { $0.contains("late") })
            clock.advance(by: .seconds(50))
            queue.add("nudge")
            await worked.until { $0.contains("late") }
        }
    }

    @Test func theEarlierOfTwoTimesCounts() async {
        let clock = ManualClock()
        let queue = WorkQueue<String, ManualClock>(clock: clock)
        let worked = Watched(0)
        await running(queue, { _ in worked.withLock { $0 += 1 } }) {
            queue.add("a", after: .seconds(60))
            queue.add("a", after: .seconds(10))
            queue.add("a", after: .seconds(300))
            clock.advance(by: .seconds(10))
            await worked.until { $0 == 1 }
            #expect(queue.counts.waiting == 0)
        }
    }
}
