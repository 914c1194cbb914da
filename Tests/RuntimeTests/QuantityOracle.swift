/// Quantities reckoned with digits alone, for a check: as slow and as plain as can be.
enum QuantityOracle {
    private static let units: [String: (binary: Int, decimal: Int)] = [
        "": (0, 0), "n": (0, -9), "u": (0, -6), "m": (0, -3), "k": (0, 3), "M": (0, 6), "G": (0, 9), "T": (0, 12),
        "P": (0, 15), "E": (0, 18), "Ki": (10, 0), "Mi": (20, 0), "Gi": (30, 0), "Ti": (40, 0), "Pi": (50, 0),
        "Ei": (60, 0),
    ]

    /// The amount in billionths, rounded up, as decimal digits without leading zeros; nil for text that is no quantity.
    static func nanos(_ text: String) -> String? {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        var unit = units[String(decoding: rest, as: UTF8.self)]
        if unit == nil, let mark = rest.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
            unit = Int(String(decoding: rest.dropFirst(), as: UTF8.self)).map { (0, min(max($0, -2000), 2000)) }
        }
        guard let unit else { return nil }
        // Least digit first.
        var digits = (whole + fraction).reversed().map { Int($0) - 0x30 }
        for _ in 0..<unit.binary { double(&digits) }
        let power = unit.decimal + 9 - fraction.count
        if power >= 0 { digits.insert(contentsOf: repeatElement(0, count: power), at: 0) }
        if power < 0 {
            let lost = digits.prefix(-power)
            let isExact = lost.allSatisfy { $0 == 0 }
            digits.removeFirst(lost.count)
            if !isExact { increment(&digits) }
        }
        while digits.last == 0 { digits.removeLast() }
        return digits.isEmpty ? "0" : digits.reversed().map(String.init).joined()
    }

    private static func double(_ digits: inout [Int]) {
        var carry = 0
        for index in digits.indices {
            let sum = digits[index] * 2 + carry
            digits[index] = sum % 10
            carry = sum / 10
        }
        if carry > 0 { digits.append(carry) }
    }

    private static func increment(_ digits: inout [Int]) {
        for index in digits.indices {
            guard digits[index] == 9 else {
                digits[index] += 1
                return
            }
            digits[index] = 0
        }
        digits.append(1)
    }

    /// Whether one number is greater than another, both without leading zeros.
    static func isGreater(_ left: String, than right: String) -> Bool {
        left.utf8.count != right.utf8.count ? left.utf8.count > right.utf8.count : left > right
    }
}
