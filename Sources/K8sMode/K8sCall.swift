import HTTP
import Model

/// One request to the API server.
struct K8sCall: Sendable {
    var method: HTTPMethod = .get
    /// The path, percent-encoded.
    var path: String
    var query: [(name: String, value: String)] = []
    var body: JSONValue?
    var contentType = "application/json"
    var accept = "application/json"
    var deadlines = K8sCall.quick
    /// The most bytes the answer may have.
    var limit = 8 << 20
    /// What is asked for, in the words of a role's rule: what a 403 names.
    var right: Right?

    /// What a role has to allow.
    struct Right: Sendable {
        let verb: String
        let resource: APIResource
        let namespace: String?
        var subresource = ""

        var description: String {
            let name = subresource.isEmpty ? resource.plural : "\(resource.plural)/\(subresource)"
            let group = resource.group.isEmpty ? "\"\"" : resource.group
            let place = namespace.map { "in namespace \($0)" } ?? "in the whole cluster"
            return "verb \(verb) on resource \(name) of API group \(group) \(place)"
        }
    }

    /// A path of components that may hold any text.
    static func path(_ components: [String]) -> String {
        components.map { "/" + percentEncoded($0) }.joined()
    }

    /// What to accept so that the server leaves out everything but metadata (since Kubernetes 1.15).
    static func metadata(list: Bool) -> String {
        "application/json;as=PartialObjectMetadata\(list ? "List" : "");g=meta.k8s.io;v=v1"
    }

    var target: String {
        guard !query.isEmpty else { return path }
        return path + "?"
            + query.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }.joined(separator: "&")
    }

    /// How it is called in messages.
    var name: String { "\(method.rawValue) \(path)" }
}

extension K8sCall {
    /// One object. Admission webhooks have at most half a minute.
    static let quick = HTTPDeadlines(connect: .seconds(10), idle: .seconds(35), total: .seconds(60))
    /// Many objects, which the server may collect for as long as it gives any request: a minute.
    static let listing = HTTPDeadlines(connect: .seconds(10), idle: .seconds(65), total: .seconds(180))
    /// A stream that may say nothing for long.
    static let stream = HTTPDeadlines(connect: .seconds(10), idle: nil, total: nil)
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
