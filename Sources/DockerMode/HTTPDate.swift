import Util

/// The time in an HTTP `Date` field (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; nil for any other text.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", words[1].utf8.count == 2, words[3].utf8.count == 4,
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let digits = String(month + 1)
        let number = digits.utf8.count == 1 ? "0" + digits : digits
        return (try? RFC3339.parse("\(words[3])-\(number)-\(words[1])T\(words[4])Z"))?.secondsSince1970
    }
}
