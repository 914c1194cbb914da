internal import Model

/// An amount of a resource, read as Kubernetes reads it: `512Mi`, `500m`, `1.5G`, `2e9`.
///
/// Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
public struct Quantity: Sendable, Hashable, Comparable {
    /// The amount in billionths, the finest step a quantity can express. Finer amounts are rounded up.
    let nanos: Int128

    /// The amount as whole units, rounded up as Kubernetes does: bytes of memory.
    public var roundedUp: Int64 { Int64((nanos + 999_999_999) / 1_000_000_000) }

    /// The amount in thousandths, rounded up, at most `Int64.max` of them: CPU in millicores.
    public var millis: Int64 { Int64(clamping: (nanos + 999_999) / 1_000_000) }

    /// Whether the left amount is less.
    public static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }
}

/// A text that is no quantity.
public struct QuantityError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what is allowed, without the text itself: one from a bot's config may be anything.
    public let problem: String
    /// The text and the problem.
    public let description: String

    init(_ text: String, _ problem: String) {
        self.problem = problem
        description = "\(text.escapedForMessage) \(problem)"
    }
}

extension Quantity {
    /// A whole number of units.
    public init(units: Int64) { nanos = Int128(units) * 1_000_000_000 }

    /// A number of thousandths: millicores of CPU.
    public init(millis: Int64) { nanos = Int128(millis) * 1_000_000 }

    /// Reads a quantity that isn't negative.
    /// - Throws: ``QuantityError`` when the text is no quantity, is negative, or exceeds 2^63 - 1 units.
    public init(_ text: String) throws(QuantityError) {
        func failure(_ problem: String) -> QuantityError {
            QuantityError(
                text,
                "\(problem); expected a number with an optional unit: Ki Mi Gi Ti Pi Ei, n u m k M G T P E, "
                    + "or an exponent as e3"
            )
        }
        guard text.utf8.count <= 64 else { throw failure("is longer than 64 characters") }
        var rest = Substring(text)
        if rest.hasPrefix("-") { throw failure("is negative") }
        if rest.hasPrefix("+") { rest = rest.dropFirst() }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var fraction = Substring()
        if rest.hasPrefix(".") {
            fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { throw failure("has no digits") }
        guard let scale = Scale(suffix: rest) else { throw failure("has an unknown unit") }
        guard let nanos = scale.nanos(whole: whole, fraction: fraction) else { throw failure("is too large") }
        self.nanos = nanos
    }
}

/// A unit: a power of two or of ten.
private enum Scale {
    case binary(Int)
    case decimal(Int)

    init?(suffix: Substring) {
        switch suffix {
        case "Ki": self = .binary(10)
        case "Mi": self = .binary(20)
        case "Gi": self = .binary(30)
        case "Ti": self = .binary(40)
        case "Pi": self = .binary(50)
        case "Ei": self = .binary(60)
        case "n": self = .decimal(-9)
        case "u": self = .decimal(-6)
        case "m": self = .decimal(-3)
        case "": self = .decimal(0)
        case "k": self = .decimal(3)
        case "M": self = .decimal(6)
        case "G": self = .decimal(9)
        case "T": self = .decimal(12)
        case "P": self = .decimal(15)
        case "E": self = .decimal(18)
        default:
            guard let mark = suffix.first, mark == "e" || mark == "E", let exponent = Int(suffix.dropFirst()) else {
                return nil
            }
            self = .decimal(exponent)
        }
    }

    /// The amount in billionths, rounded up; nil when it exceeds `Int64.max` units.
    func nanos(whole: Substring, fraction: Substring) -> Int128? {
        let digits = (whole + fraction).drop { $0 == "0" }
        if digits.isEmpty { return 0 }
        guard digits.utf8.count <= 36, var amount = Int128(String(digits)) else { return nil }
        var power = 9 - fraction.utf8.count
        switch self {
        case .decimal(let exponent):
            guard (-1000...1000).contains(exponent) else { return exponent < 0 ? 1 : nil }
            power += exponent
        case .binary(let exponent):
            let (product, overflow) = amount.multipliedReportingOverflow(by: Int128(1) << Int128(exponent))
            guard !overflow else { return nil }
            amount = product
        }
        while power > 0 {
            let (product, overflow) = amount.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            amount = product
            power -= 1
        }
        var isExact = true
        while power < 0, amount > 0 {
            isExact = isExact && amount % 10 == 0
            amount /= 10
            power += 1
        }
        if !isExact { amount += 1 }
        return amount <= Int128(Int64.max) * 1_000_000_000 ? amount : nil
    }
}
