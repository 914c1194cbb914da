import Foundation
import Testing
import Util

/// The name of the thread this runs on.
private func threadName() throws -> String {
    try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
}

/// How many threads of this process have that name.
private func threads(named name: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").filter { thread in
        // A thread may end between listing and reading.
        (try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)) == name + "\n"
    }.count
}

@Suite(.timeLimit(.minutes(1))) struct BlockingExecutorTests {
    @Test func callsRunOnItsNamedThreadsFromAnyIsolation() async throws {
        let executor = try BlockingExecutor(name: "blk-names")
        #expect(try await executor.blocking { try threadName() } == "blk-names")
        #expect(try await onMainActor(executor) == "blk-names")
        #expect(try await Isolated().name(executor) == "blk-names")
        #expect(try threadName() != "blk-names")
    }

    @MainActor private func onMainActor(_ executor: BlockingExecutor) async throws -> String {
        let name = try await executor.blocking { try threadName() }
        MainActor.assertIsolated()
        return name
    }

    private actor Isolated {
        func name(_ executor: BlockingExecutor) async throws -> String {
            let name = try await executor.blocking { try threadName() }
            assertIsolated()
            return name
        }
    }

    @Test func longNamesAreCutToWhatTheSystemTakes() async throws {
        let executor = try BlockingExecutor(name: "blocking-mongodb-calls")
        #expect(try await executor.blocking { try threadName() } == "blocking-mongod")
    }

    @Test func asManyCallsBlockAtOnceAsThereAreThreads() async throws {
        let executor = try BlockingExecutor(name: "blk-many", threads: 4)
        let counts = Shared((arrived: 0, running: 0, most: 0))
        let allInside = DispatchSemaphore(value: 0)
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await executor.blocking {
                        let arrived = counts.withLock {
                            $0.arrived += 1
                            $0.running += 1
                            $0.most = max($0.most, $0.running)
                            return $0.arrived
                        }
                        // The first four can only go on together.
                        if arrived < 4 { allInside.wait() }
                        if arrived == 4 { for _ in 0..<3 { allInside.signal() } }
                        counts.withLock { $0.running -= 1 }
                        return number
                    }
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(results == Set(0..<40))
        #expect(counts.withLock { $0.most } == 4)
        #expect(try threads(named: "blk-many") == 4)
    }

    @Test func threadsAreOnlyStartedWhenNeeded() async throws {
        let executor = try BlockingExecutor(name: "blk-lazy", threads: 16)
        for number in 0..<50 {
            #expect(try await executor.blocking { number } == number)
        }
        // One that has told its result may not be idle yet when the next call comes.
        #expect(try threads(named: "blk-lazy") <= 8)
    }

    @Test func blockedThreadsDelayNoOtherTask() async throws {
        let executor = try BlockingExecutor(name: "blk-stuck", threads: 16)
        let release = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask { try await executor.blocking { release.wait() } }
            }
            // With the cooperative pool blocked, this would never get its turn.
            let sum = await withTaskGroup(of: Int.self) { inner in
                for number in 0..<100 { inner.addTask { number } }
                return await inner.reduce(0, +)
            }
            #expect(sum == 4_950)
            for _ in 0..<64 { release.signal() }
            try await group.waitForAll()
        }
    }

    @Test func errorsPassThrough() async throws {
        struct Failure: Error {}
        let executor = try BlockingExecutor(name: "blk-errors", threads: 1)
        await #expect(throws: Failure.self) { try await executor.blocking { throw Failure() } }
        #expect(try await executor.blocking { 1 } == 1)
    }

    @Test func aCancelledTaskBeginsNoCall() async throws {
        let executor = try BlockingExecutor(name: "blk-cancel")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await executor.blocking { Issue.record("the call ran") }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func threadsEndWhenTheExecutorIsReleased() async throws {
        var executor: BlockingExecutor? = try BlockingExecutor(name: "blk-end", threads: 3)
        weak let released = executor
        _ = try await executor?.blocking { 1 }
        #expect(try threads(named: "blk-end") >= 1)
        executor = nil
        while try threads(named: "blk-end") > 0 { await Task.yield() }
        #expect(released == nil)
    }
}
