/// How long to wait before trying again: exponential growth up to a maximum, spread by jitter.
///
/// A delay lies between `(1 - jitter) × d` and `(1 + jitter) × d`, where `d` is `initial × multiplier^(attempt - 1)`, at
/// most `maximum`. So delays stay spread out at the maximum too.
public struct Backoff: Sendable, Hashable {
    /// The longest `maximum` that is accepted.
    public static let longestMaximum: Duration = .seconds(366 * 86_400)

    /// One second, doubling up to five minutes, each delay a fifth more or less.
    public static let standard = Backoff(
        validInitial: .seconds(1),
        multiplier: 2,
        maximum: .seconds(300),
        jitter: 0.2
    )

    /// The delay before the first retry, without jitter.
    public let initial: Duration
    /// The factor from one delay to the next.
    public let multiplier: Double
    /// The longest delay.
    public let maximum: Duration
    /// The largest share by which a delay is longer or shorter.
    public let jitter: Double

    /// Describes a backoff.
    ///
    /// - Parameters:
    ///   - initial: the delay before the first retry, not negative.
    ///   - multiplier: the factor from one delay to the next, 1 or more.
    ///   - maximum: the longest delay, from `initial` to ``longestMaximum``.
    ///   - jitter: the largest share by which a delay is longer or shorter, from 0 to 1.
    /// - Throws: ``UtilError`` with code `invalidBackoff` for values outside these ranges.
    public init(
        initial: Duration = .seconds(1),
        multiplier: Double = 2,
        maximum: Duration = .seconds(300),
        jitter: Double = 0.2
    ) throws(UtilError) {
        guard initial >= .zero else {
            throw UtilError(
                .invalidBackoff,
                "backoff: initial is \(GoDuration.string(initial)), but must be 0s or more"
            )
        }
        guard multiplier >= 1, multiplier.isFinite else {
            throw UtilError(.invalidBackoff, "backoff: multiplier is \(multiplier), but must be 1 or more")
        }
        guard maximum >= initial, maximum <= Self.longestMaximum else {
            throw UtilError(
                .invalidBackoff,
                "backoff: maximum is \(GoDuration.string(maximum)), but must be from initial "
                    + "(\(GoDuration.string(initial))) to \(GoDuration.string(Self.longestMaximum))"
            )
        }
        guard (0...1).contains(jitter) else {
            throw UtilError(.invalidBackoff, "backoff: jitter is \(jitter), but must be from 0 to 1")
        }
        self.init(validInitial: initial, multiplier: multiplier, maximum: maximum, jitter: jitter)
    }

    private init(validInitial: Duration, multiplier: Double, maximum: Duration, jitter: Double) {
        self.initial = validInitial
        self.multiplier = multiplier
        self.maximum = maximum
        self.jitter = jitter
    }

    /// The delay after a number of failed attempts, the same for the same seed and attempt in every process.
    ///
    /// - Parameters:
    ///   - attempt: how many attempts have failed; less than 1 counts as 1.
    ///   - seed: what tells this sequence from others.
    public func delay(attempt: Int, seed: UInt64) -> Duration {
        // Mixing the seed first keeps neighbouring seeds at neighbouring attempts from sharing a delay.
        var start = SplitMix64(state: seed)
        var generator = SplitMix64(state: start.next() &+ UInt64(bitPattern: Int64(max(1, attempt))))
        return delay(attempt: attempt, using: &generator)
    }

    /// The delay after a number of failed attempts, the same for the same seed and attempt in every process.
    ///
    /// - Parameters:
    ///   - attempt: how many attempts have failed; less than 1 counts as 1.
    ///   - seed: what tells this sequence from others, such as a bot's id.
    public func delay(attempt: Int, seed: String) -> Duration {
        delay(attempt: attempt, seed: stableHash(seed))
    }

    /// The delay after a number of failed attempts, with jitter from a generator.
    ///
    /// - Parameters:
    ///   - attempt: how many attempts have failed; less than 1 counts as 1.
    ///   - generator: where the jitter comes from.
    public func delay(attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let longest = maximum / .seconds(1)
        let grown = (initial / .seconds(1)) * power(multiplier, max(1, attempt) - 1)
        // 53 bits are what a Double between 0 and 1 holds; `Double.random` may change between Swift releases.
        let share = Double(generator.next() >> 11) / Double(UInt64(1) << 53)
        // 0 × infinity is not a number, and `min` would hand it on.
        let base = grown.isNaN ? 0 : min(grown, longest)
        return .seconds(base * (1 + jitter * (2 * share - 1)))
    }
}

/// `base` to a power of zero or more, by repeated squaring; infinite when too large.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}

/// FNV-1a, 64 bits: a hash that is the same in every process, unlike `Hasher`.
private func stableHash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return hash
}

/// Steele, Lea and Flood's SplitMix64: small, and its sequence is fixed by its definition.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
