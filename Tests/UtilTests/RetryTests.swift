import Logging
import Testing
import Util

@Suite struct RetryTests {
    struct Failure: RetryableError, Equatable {
        var isRetryable = true
        var number = 0
    }
    struct Unknown: Error {}

    let backoff: Backoff

    init() throws {
        backoff = try Backoff(initial: .seconds(1), multiplier: 2, maximum: .seconds(60), jitter: 0)
    }

    @Test func triesUntilItSucceedsWithGrowingDelays() async throws {
        let clock = TestClock()
        let value = try await retry("reading", backoff: backoff, clock: clock) { attempt in
            if attempt < 4 { throw Failure() }
            return attempt
        }
        #expect(value == 4)
        #expect(clock.sleeps == [.seconds(1), .seconds(2), .seconds(4)])
    }

    @Test func acceptsAClockOfAnyKind() async throws {
        let clock: any Clock<Duration> = TestClock()
        #expect(try await retry("reading", backoff: backoff, clock: clock) { $0 } == 1)
    }

    @Test func anErrorThatIsNotRetryableEndsItAtOnce() async {
        let clock = TestClock()
        await #expect(throws: Failure(isRetryable: false)) {
            try await retry("reading", backoff: backoff, clock: clock) { _ in throw Failure(isRetryable: false) }
        }
        await #expect(throws: Unknown.self) {
            try await retry("reading", backoff: backoff, clock: clock) { _ in throw Unknown() }
        }
        #expect(clock.sleeps.isEmpty)
    }

    @Test func theLastErrorIsThrownAfterTheMostAttempts() async {
        let clock = TestClock()
        await #expect(throws: Failure(number: 3)) {
            try await retry("reading", backoff: backoff, maxAttempts: 3, clock: clock) { attempt in
                throw Failure(number: attempt)
            }
        }
        #expect(clock.sleeps == [.seconds(1), .seconds(2)])
    }

    @Test func noAttemptBeginsAfterTheDeadline() async {
        let clock = TestClock()
        await #expect(throws: Failure(number: 3)) {
            try await retry("reading", backoff: backoff, deadline: .seconds(6), clock: clock) { attempt in
                clock.advance(by: .milliseconds(500))
                throw Failure(number: attempt)
            }
        }
        // 0.5 + 1 + 0.5 + 2 + 0.5: waiting another 4 s would end after 6 s.
        #expect(clock.now.offset == .milliseconds(4_500))
    }

    @Test func cancellationEndsTheWait() async {
        let clock = TestClock(whenSleeping: { withUnsafeCurrentTask { $0?.cancel() } })
        await Task {
            _ = await #expect(throws: CancellationError.self) {
                try await retry("reading", backoff: backoff, clock: clock) { _ in throw Failure() }
            }
        }.value
        #expect(clock.sleeps.count == 1)
    }

    @Test func aCancelledTaskDoesNotBegin() async {
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = await #expect(throws: CancellationError.self) {
                try await retry("reading", backoff: backoff, clock: TestClock()) { _ in
                    Issue.record("the operation ran")
                }
            }
        }.value
    }

    @Test func cancellationDuringAnAttemptPreventsTheNext() async {
        let clock = TestClock()
        await Task {
            _ = await #expect(throws: Failure(number: 1)) {
                try await retry("reading", backoff: backoff, clock: clock) { attempt in
                    withUnsafeCurrentTask { $0?.cancel() }
                    throw Failure(number: attempt)
                }
            }
        }.value
        #expect(clock.sleeps.isEmpty)
    }

    @Test func attemptsAreLoggedAtDebugLevel() async throws {
        let sink = MemorySink()
        let options = LoggingOptions(level: .debug, format: .text)
        let logger = Logger(label: "test") { LineLogHandler(label: $0, options: options, sink: sink) }
        _ = try? await retry("reading", backoff: backoff, maxAttempts: 2, clock: TestClock(), logger: logger) { _ in
            throw Failure()
        }
        try #require(sink.lines.count == 2)
        #expect(sink.lines[0].contains("DEBUG    test: attempt failed, trying again attempt=1 delay=1s"))
        #expect(sink.lines[1].contains("giving up attempt=2 delay=none"))
        #expect(sink.lines[1].contains("what=reading"))
    }
}
