import Runtime
import Synchronization
import Testing

/// Takes what a following delivers, and knows where to go on.
final class FollowCollector: Sendable {
    private struct State {
        var lines: [OutputText] = []
        var batches = 0
        var gaps = 0
        var position: OutputPosition?
        var waiting: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }
    private let state = Mutex(State())

    struct Enough: Error {}

    var lines: [OutputText] { state.withLock { $0.lines } }
    var texts: [String] { lines.map { String(decoding: $0.bytes, as: UTF8.self) } }
    var count: Int { state.withLock { $0.lines.count } }
    var batches: Int { state.withLock { $0.batches } }
    var gaps: Int { state.withLock { $0.gaps } }

    /// Follows on from where it was to the end.
    func follow(_ runner: any RunOutputFollowing, _ run: ObservedRun, waiting: Bool = true) async throws {
        try await runner.follow(run, after: state.withLock { $0.position }, waiting: waiting) { batch in
            self.take(batch)
        }
    }

    /// Follows on until so many lines were taken, then fails.
    func follow(_ runner: any RunOutputFollowing, _ run: ObservedRun, atMost most: Int) async {
        let end = count + most
        do {
            try await runner.follow(run, after: state.withLock { $0.position }, waiting: true) { batch in
                if self.count >= end { throw Enough() }
                self.take(batch)
            }
        } catch {
            #expect(error.cause is Enough)
        }
    }

    /// Returns when there are so many lines.
    func wait(for count: Int) async throws {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.lines.count >= count { return true }
                state.waiting = (count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Whether there is `line 0`, `line 1` and so on of each stream, once each and in order.
    func checkNumbers(_ expected: Int, before others: Int = 0) {
        let numbers = lines.dropLast(others).map {
            (stream: $0.stream, number: Int(String(decoding: $0.bytes.dropFirst(5), as: UTF8.self)))
        }
        #expect(numbers.count == expected)
        #expect(gaps == 0)
        // The engine takes the two streams' lines in an order of its own.
        let (out, error) = (numbers.filter { $0.stream == .stdout }, numbers.filter { $0.stream == .stderr })
        #expect(out.map(\.number) == (0..<expected).filter { $0 % 2 == 0 })
        #expect(error.map(\.number) == (0..<expected).filter { $0 % 2 == 1 })
    }

    private func take(_ batch: OutputBatch) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.lines += batch.lines
            state.batches += 1
            if batch.hasGap { state.gaps += 1 }
            state.position = batch.position
            guard let waiting = state.waiting, state.lines.count >= waiting.count else { return nil }
            state.waiting = nil
            return waiting.continuation
        }
        waiter?.resume()
    }
}

/// Reads ended runs to their end, each from its beginning.
final class FinalReader: FinalOutputReading {
    private let runner: any RunOutputFollowing
    private let state = Mutex<[(run: ObservedRun, collector: FollowCollector)]>([])

    init(runner: any RunOutputFollowing) {
        self.runner = runner
    }

    var runs: [ObservedRun] { state.withLock { $0.map(\.run) } }
    var collectors: [FollowCollector] { state.withLock { $0.map(\.collector) } }

    func readToEnd(of run: ObservedRun) async {
        let collector = FollowCollector()
        do { try await collector.follow(runner, run, waiting: false) } catch {
            Issue.record("reading \(run.id) to its end: \(error)")
        }
        state.withLock { $0.append((run, collector)) }
    }
}
