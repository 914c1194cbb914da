public import Model
public import Runtime
public import Util

/// A line of a bot's log as it is stored.
public struct LogLine: Sendable, Hashable {
    /// The JSON object, without its line end.
    public let bytes: [UInt8]
    /// When it was written; nil when that can't be told.
    public let time: Timestamp?

    init(_ bytes: some Collection<UInt8>, engineTime: Timestamp? = nil) {
        self.bytes = Array(bytes)
        time = engineTime ?? Self.time(of: self.bytes)
    }

    /// The line as an object; nil when others stored something else.
    public var object: JSONObject? { (try? JSONValue.parse(bytes))?.object }

    /// Where it was written; nil for lines that the bot wrote as objects, which don't say.
    public var stream: OutputLine.Stream? { object?["stream"]?.string.flatMap(OutputLine.Stream.init) }

    /// What the bot wrote: the message of what was text, the whole object otherwise.
    public var text: String {
        if let object, object["stream"] != nil, let message = object["message"]?.string { return message }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let front = Array(#"{"timestamp":""#.utf8)

    private static func time(of bytes: [UInt8]) -> Timestamp? {
        // As this program writes it; anything else takes reading the object.
        if bytes.starts(with: front) {
            let text = bytes[front.count...].prefix { $0 != UInt8(ascii: "\"") }
            return try? RFC3339.parse(String(decoding: text, as: UTF8.self))
        }
        guard let text = (try? JSONValue.parse(bytes))?.object?["timestamp"]?.string else { return nil }
        return try? RFC3339.parse(text)
    }

    /// Whether it says something about the log itself, so that no run wrote it.
    var isMark: Bool {
        guard let object else { return false }
        return object["runtime"] != nil && object["stream"]?.string == "stderr"
    }
}
