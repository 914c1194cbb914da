#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A point in time, to the nanosecond, from 1677 to 2262.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
    public let nanosecondsSince1970: Int64

    /// The time some nanoseconds after (or before) 1970.
    public init(nanosecondsSince1970: Int64) {
        self.nanosecondsSince1970 = nanosecondsSince1970
    }

    /// The time some seconds after (or before) 1970, at most the first or last representable one.
    public init(secondsSince1970: Int64) {
        let (nanoseconds, overflow) = secondsSince1970.multipliedReportingOverflow(by: 1_000_000_000)
        self.nanosecondsSince1970 = overflow ? (secondsSince1970 < 0 ? .min : .max) : nanoseconds
    }

    /// The time some milliseconds after (or before) 1970, at most the first or last representable one.
    public init(millisecondsSince1970: Int64) {
        let (nanoseconds, overflow) = millisecondsSince1970.multipliedReportingOverflow(by: 1_000_000)
        self.nanosecondsSince1970 = overflow ? (millisecondsSince1970 < 0 ? .min : .max) : nanoseconds
    }

    /// The system's wall clock (`CLOCK_REALTIME`).
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanosecondsSince1970: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Whole milliseconds since 1970, rounded towards the past.
    public var millisecondsSince1970: Int64 { floorDivide(nanosecondsSince1970, 1_000_000).quotient }

    /// Whole seconds since 1970, rounded towards the past.
    public var secondsSince1970: Int64 { floorDivide(nanosecondsSince1970, 1_000_000_000).quotient }

    /// The time from another timestamp to this one; negative when the other is later.
    public func duration(since other: Timestamp) -> Duration {
        .nanoseconds(nanosecondsSince1970) - .nanoseconds(other.nanosecondsSince1970)
    }

    /// The time some duration later (or earlier), at most the first or last representable one.
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (offset, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        let (sum, outside) = nanosecondsSince1970.addingReportingOverflow(offset)
        guard !overflow, !carry, !outside else {
            return Timestamp(nanosecondsSince1970: duration < .zero ? .min : .max)
        }
        return Timestamp(nanosecondsSince1970: sum)
    }

    /// Earlier is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanosecondsSince1970 < right.nanosecondsSince1970
    }

    /// RFC 3339 in UTC with as many digits after the second as there are, as engines write it.
    public var description: String { RFC3339.string(self) }
}

/// Division that rounds towards the past, so that a remainder is never negative.
func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}
