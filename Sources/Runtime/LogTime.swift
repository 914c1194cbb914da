package import Util

/// The time at the beginning of a frame or line of a platform's log.
package enum LogTime {
    /// Reads a time and the space after it.
    /// - Returns: the time, and how many bytes the two take; nil when there is none.
    package static func parse(_ text: UnsafeRawBufferPointer) -> (time: Timestamp, length: Int)? {
        // Docker's form has always the same length: 2026-11-24T08:15:23.947389765Z.
        let length = 30
        if text.count > length, text[length] == UInt8(ascii: " "), let time = fixed(text) { return (time, length + 1) }
        guard let space = text.prefix(40).firstIndex(of: UInt8(ascii: " ")),
            let time = try? RFC3339.parse(String(decoding: text[..<space], as: UTF8.self))
        else { return nil }
        return (time, space + 1)
    }

    private static func fixed(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"), text[19] == UInt8(ascii: "."),
            text[29] == UInt8(ascii: "Z"), let year = number(text, 0, 4), let month = number(text, 5, 2),
            let day = number(text, 8, 2), let hour = number(text, 11, 2), let minute = number(text, 14, 2),
            let second = number(text, 17, 2), let nanosecond = number(text, 20, 9)
        else { return nil }
        // Days that not every month has, and years near the end of what a time can be, go the long way.
        guard (1970...2200).contains(year), (1...12).contains(month), (1...28).contains(day), hour < 24, minute < 60,
            second < 60
        else {
            return try? RFC3339.parse(String(decoding: text[..<30], as: UTF8.self))
        }
        let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
        return Timestamp(nanosecondsSince1970: seconds * 1_000_000_000 + nanosecond)
    }

    /// Days since 1970, with years counted from March so that the leap day is a year's last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let march = month > 2 ? year : year - 1
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        return march * 365 + march / 4 - march / 100 + march / 400 + (153 * monthFromMarch + 2) / 5 + day - 1 - 719_468
    }

    private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ width: Int) -> Int64? {
        var value: Int64 = 0
        for index in start..<(start + width) {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }
}
