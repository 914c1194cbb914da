import Control
import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

/// What a platform ran by itself, in the books.
@Suite struct PlatformHistoryTests {
    private let platform = FakePlatformRuns()
    private let runs = MemoryRunStore()
    private let results = MemoryResults()
    private let begin = Timestamp(secondsSince1970: 1_767_258_001)

    private func history() -> PlatformHistory {
        PlatformHistory(
            platform: platform,
            runs: runs,
            results: results,
            options: SchedulerOptions(history: 2),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func end(
        code: Int = 0,
        outOfMemory: Bool = false,
        isTimedOut: Bool = false,
        _ result: Result<[UInt8]?, RunnerError> = .success(nil)
    ) -> PlatformRunEnd {
        let exit = Exit(
            code: code,
            outOfMemory: outOfMemory,
            startedAt: begin,
            finishedAt: begin.advanced(by: .seconds(9))
        )
        return PlatformRunEnd(exit: exit, isTimedOut: isTimedOut, result: result)
    }

    @Test func eachEndIsNotedOnceWithItsResult() async throws {
        let history = history()
        platform.put("1", RunKey("s", 1_767_258_000), end(.success([1, 2])))
        platform.put("2", RunKey("t", 1_767_258_000), end(code: 3))
        try await history.look()
        try await history.look()
        let record = try #require(runs.all.first { $0.id == "s" })
        #expect(record.phase == .ended && record.outcome == .succeeded && record.exitCode == 0)
        #expect(record.startedAt == begin && record.result == .stored)
        #expect(results.state.withLock { $0["s"] } == [[1, 2]])
        #expect(runs.all.first { $0.id == "t" }?.outcome == .failed)
        #expect(platform.asked == 2)
        // A new controller asks the books first.
        try await self.history().look()
        #expect(platform.asked == 2 && runs.all.count == 2)
    }

    @Test func outcomes() async throws {
        platform.put("1", RunKey("a", 60), end(code: 137, outOfMemory: true))
        platform.put("2", RunKey("b", 60), end(code: 143, isTimedOut: true))
        platform.put("3", RunKey("c", 60), end(.failure(RunnerError(.refused, "too large"))))
        try await history().look()
        let found = Dictionary(uniqueKeysWithValues: runs.all.map { ($0.id, $0) })
        #expect(found["a"]?.outcome == .outOfMemory && found["b"]?.outcome == .timedOut)
        #expect(found["c"]?.outcome == .succeeded && found["c"]?.result == .lost)
        #expect(found["c"]?.reason == "result: too large")
    }

    @Test func anOlderRunsResultDoesNotReplaceANewerOnes() async throws {
        let history = history()
        platform.put("1", RunKey("s", 120), end(.success([2])))
        try await history.look()
        platform.put("2", RunKey("s", 60), end(.success([1])))
        try await history.look()
        #expect(results.state.withLock { $0["s"] } == [[2]])
        #expect(runs.all.first { $0.slot == 60 }?.result == .superseded)
    }

    @Test func whatCannotBeReadNowIsNotedLater() async throws {
        let history = history()
        platform.put("1", RunKey("s", 60), end(.success([1])))
        results.state.withLock { $0["fail"] = [[]] }
        await #expect(throws: StoreError.self) { try await history.look() }
        #expect(runs.all.isEmpty)
        results.state.withLock { $0["fail"] = nil }
        try await history.look()
        #expect(runs.all.count == 1)
        // What vanished before it was read leaves no record.
        platform.put("2", RunKey("s", 120), nil)
        try await history.look()
        #expect(runs.all.count == 1)
    }
}

/// Runs of a platform in memory.
private final class FakePlatformRuns: PlatformRunReading, Sendable {
    private let state = Mutex<(ends: [PlatformRun: PlatformRunEnd?], asked: Int)>(([:], 0))

    var asked: Int { state.withLock { $0.asked } }

    func put(_ reference: String, _ key: RunKey, _ end: PlatformRunEnd?) {
        state.withLock { $0.ends[PlatformRun(reference: reference, key: key)] = .some(end) }
    }

    func endedRuns() async throws(RunnerError) -> [PlatformRun] { state.withLock { Array($0.ends.keys) } }

    func end(of run: PlatformRun, limit: Int) async throws(RunnerError) -> PlatformRunEnd? {
        state.withLock { state in
            state.asked += 1
            return state.ends[run] ?? nil
        }
    }
}

/// Results in memory.
private final class MemoryResults: ResultStore, Sendable {
    let state = Mutex<[BotID: [[UInt8]]]>([:])

    func store(_ result: [UInt8], of id: BotID) async throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            if state["fail"] != nil { throw StoreError(.unavailable, "down") }
            state[id, default: []].append(result)
        }
    }
}
