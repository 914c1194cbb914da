import HTTP
import Model

/// One request to the engine.
struct EngineCall: Sendable {
    var method: HTTPMethod
    /// The path after the version, percent-encoded.
    var path: String
    var query: [(name: String, value: String)] = []
    var body: HTTPRequestBody = .none
    var contentType: String?
    var headers: [HTTPHeader] = []
    var deadlines = EngineCall.quick
    /// The most bytes the answer may have.
    var limit = 4 << 20

    /// A path of components that may hold any text.
    static func path(_ components: String...) -> String {
        components.map { "/" + percentEncoded($0) }.joined()
    }

    /// A body of JSON.
    mutating func setBody(_ value: JSONValue) {
        body = .bytes(Array(value.text.utf8))
        contentType = "application/json"
    }

    /// The query's filters, as the engine takes them: a JSON object of lists.
    mutating func filter(_ filters: [(String, [String])]) {
        var object = JSONObject()
        for (name, values) in filters { object[name] = .array(values.map { .string($0) }) }
        query.append(("filters", JSONValue.object(object).text))
    }

    var target: String {
        guard !query.isEmpty else { return path }
        return path + "?"
            + query.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }.joined(separator: "&")
    }
}

extension EngineCall {
    /// Reading something small.
    static let quick = HTTPDeadlines(connect: .seconds(10), idle: .seconds(30), total: .seconds(60))
    /// Work that the engine does before it answers: creating, starting, removing. One start takes 0.3 s on an idle engine and
    /// 7 s with 32 others (moby #42096).
    static let work = HTTPDeadlines(connect: .seconds(10), idle: .seconds(120), total: .seconds(180))
    /// Asking whether the engine is there at all.
    static let ping = HTTPDeadlines(connect: .seconds(5), idle: .seconds(5), total: .seconds(5))
    /// A stream of events that says nothing for hours.
    static let events = HTTPDeadlines(connect: .seconds(10), idle: nil, total: nil)
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            result += byte < 16 ? "%0" : "%"
            result += String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}
