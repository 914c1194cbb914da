import Testing
import Util

@Suite struct BackoffTests {
    @Test func delaysDoubleUpToTheMaximum() throws {
        let backoff = try Backoff(jitter: 0)
        let delays = (1...10).map { backoff.delay(attempt: $0, seed: 7) }
        #expect(delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map { Duration.seconds($0) })
    }

    @Test(arguments: [Int.min, -1, 0, 1, 2, 40, 1_000, 1_000_000_000, Int.max])
    func anyAttemptHasADelayWithinTheJitter(attempt: Int) {
        let backoff = Backoff.standard
        for seed in UInt64(0)..<200 {
            let delay = backoff.delay(attempt: attempt, seed: seed)
            let base: Duration = attempt <= 1 ? .seconds(1) : attempt == 2 ? .seconds(2) : .seconds(300)
            #expect(delay <= base * 1.2)
            #expect(delay >= base * 0.8)
        }
    }

    @Test func jitterUsesItsWholeRangeAlsoAtTheMaximum() {
        let delays = (0..<1_000).map { Backoff.standard.delay(attempt: 50, seed: "bot-\($0)") }
        #expect(delays.contains { $0 < .seconds(245) })
        #expect(delays.contains { $0 > .seconds(355) })
        #expect(Set(delays).count > 990)
    }

    // The numbers are the definition: a restarted process of any later version must compute them again.
    @Test func f05DelayOfASeedAndAttemptIsTheSameInEveryProcess() throws {
        let backoff = try Backoff(initial: .seconds(1), multiplier: 2, maximum: .seconds(300), jitter: 0.2)
        let delays = (1...3).map { backoff.delay(attempt: $0, seed: "bot-1") / .milliseconds(1) }.map { Int($0) }
        #expect(delays == [1180, 1754, 3745])
        #expect(backoff.delay(attempt: 1, seed: "bot-1") != backoff.delay(attempt: 1, seed: "bot-2"))
    }

    @Test func aGeneratorDecidesTheJitter() throws {
        struct Constant: RandomNumberGenerator {
            let value: UInt64
            mutating func next() -> UInt64 { value }
        }
        var least = Constant(value: 0)
        var most = Constant(value: .max)
        let backoff = try Backoff(initial: .seconds(10), jitter: 0.5)
        #expect(backoff.delay(attempt: 1, using: &least) == .seconds(5))
        let longest = backoff.delay(attempt: 1, using: &most)
        #expect(longest <= .seconds(15) && longest > .milliseconds(14_999))
    }

    @Test func zeroStaysZeroHoweverOftenItIsMultiplied() throws {
        let backoff = try Backoff(initial: .zero)
        #expect(backoff.delay(attempt: .max, seed: 1) == .zero)
    }

    @Test(arguments: [
        (Duration.seconds(-1), 2.0, Duration.seconds(1), 0.1, "initial is -1s"),
        (.seconds(1), 0.99, .seconds(1), 0.1, "multiplier is 0.99"),
        (.seconds(1), .nan, .seconds(1), 0.1, "multiplier is nan"),
        (.seconds(1), .infinity, .seconds(1), 0.1, "multiplier is inf"),
        (.seconds(2), 2.0, .seconds(1), 0.1, "maximum is 1s"),
        (.seconds(2), 2.0, .seconds(Int64.max), 0.1, "maximum is"),
        (.seconds(1), 2.0, .seconds(1), 1.1, "jitter is 1.1"),
        (.seconds(1), 2.0, .seconds(1), -0.1, "jitter is -0.1"),
        (.seconds(1), 2.0, .seconds(1), .nan, "jitter is nan"),
    ])
    func nonsenseIsRefused(
        initial: Duration,
        multiplier: Double,
        maximum: Duration,
        jitter: Double,
        message: String
    ) {
        let error = #expect(throws: UtilError.self) {
            try Backoff(initial: initial, multiplier: multiplier, maximum: maximum, jitter: jitter)
        }
        #expect(error?.code == .invalidBackoff)
        #expect(error?.message.contains(message) == true)
    }
}
