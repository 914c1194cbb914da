import Testing

@testable import Util

@Suite(.timeLimit(.minutes(1))) struct AsyncSemaphoreTests {
    /// Opens once, for all who wait.
    final class Gate: Sendable {
        private let pair = AsyncStream.makeStream(of: Void.self)
        func open() { pair.continuation.finish() }
        func pass() async { for await _ in pair.stream {} }
    }

    func waiting(_ count: Int, for semaphore: AsyncSemaphore) async {
        while semaphore.waiting != count { await Task.yield() }
    }

    @Test func neverMoreThanTheLimitAtOnce() async throws {
        let semaphore = AsyncSemaphore(permits: 3)
        let counts = Shared((running: 0, most: 0, done: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    try await semaphore.withPermit {
                        counts.withLock {
                            $0.running += 1
                            $0.most = max($0.most, $0.running)
                        }
                        await Task.yield()
                        counts.withLock {
                            $0.running -= 1
                            $0.done += 1
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.withLock { $0.most } == 3)
        #expect(counts.withLock { $0.done } == 500)
        #expect(semaphore.waiting == 0)
    }

    @Test func f33WaitersComeInTheOrderTheyArrived() async throws {
        let semaphore = AsyncSemaphore(permits: 1)
        let gate = Gate()
        let order = Shared<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            let held = Gate()
            group.addTask {
                try await semaphore.withPermit {
                    held.open()
                    await gate.pass()
                }
            }
            await held.pass()
            for number in 0..<50 {
                group.addTask { try await semaphore.withPermit { order.withLock { $0.append(number) } } }
                await waiting(number + 1, for: semaphore)
            }
            gate.open()
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == Array(0..<50))
    }

    @Test func aCancelledWaiterLeavesTheLineAndTakesNoPermit() async throws {
        let semaphore = AsyncSemaphore(permits: 1)
        let gate = Gate()
        let held = Gate()
        async let holder: Void = semaphore.withPermit {
            held.open()
            await gate.pass()
        }
        await held.pass()
        let cancelled = Task { try await semaphore.withPermit { Issue.record("ran without a permit") } }
        await waiting(1, for: semaphore)
        let next = Task { try await semaphore.withPermit { "next" } }
        await waiting(2, for: semaphore)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(semaphore.waiting == 1)
        gate.open()
        try await holder
        #expect(try await next.value == "next")
        #expect(try await semaphore.withPermit { 1 } == 1)
    }

    @Test func cancellationAtAnyMomentLosesNoPermit() async throws {
        let semaphore = AsyncSemaphore(permits: 2)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<2_000 {
                let task = Task { try await semaphore.withPermit { await Task.yield() } }
                group.addTask { _ = await task.result }
                if number.isMultiple(of: 2) { task.cancel() }
            }
        }
        #expect(semaphore.waiting == 0)
        #expect(semaphore.available == 2)
    }

    @Test func aFailedOperationGivesItsPermitBack() async throws {
        struct Failure: Error {}
        let semaphore = AsyncSemaphore(permits: 1)
        await #expect(throws: Failure.self) { try await semaphore.withPermit { throw Failure() } }
        #expect(try await semaphore.withPermit { 1 } == 1)
    }

    @Test func fewerThanOnePermitCountsAsOne() async throws {
        #expect(try await AsyncSemaphore(permits: -3).withPermit { 1 } == 1)
    }
}
