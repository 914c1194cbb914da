import Model
import Util

/// A UTC day, which a bot has one object of lines for.
struct LogDay: Hashable, Comparable, Sendable {
    /// Days since 1970.
    let number: Int32

    init(number: Int32) { self.number = number }

    init(of time: Timestamp) {
        let seconds = time.secondsSince1970
        let rest = (seconds % 86_400 + 86_400) % 86_400
        number = Int32(clamping: (seconds - rest) / 86_400)
    }

    /// As `20261124`.
    var text: String {
        RFC3339.string(millisecondsSince1970: Int64(number) * 86_400_000).prefix(10).filter { $0 != "-" }
    }

    /// When it begins.
    var start: Timestamp { Timestamp(secondsSince1970: Int64(number) * 86_400) }

    /// The object's key. The id goes into it as it is: a key is text, and what is made of it is the object store's affair.
    func key(of id: BotID) -> String { "logs/\(id.text)/\(text).log" }

    static func < (left: LogDay, right: LogDay) -> Bool { left.number < right.number }
}
