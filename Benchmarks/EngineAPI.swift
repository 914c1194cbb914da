import HTTP
import Model
import TestSupport

/// The engine's API as anybody may call it: the floor is measured with this, and what was made is looked at and removed.
struct EngineAPI: Sendable {
    /// The path of the engine's socket.
    let socket: String
    private let client: HTTPClient

    static let deadlines = HTTPDeadlines(connect: .seconds(10), idle: .seconds(180), total: .seconds(300))

    init(socket: String) {
        self.socket = socket
        client = HTTPClient(maxConnections: 64, userAgent: "the0-bench")
    }

    /// An answer, whatever its status.
    struct Answer: Sendable {
        let request: String
        let status: Int
        let bytes: [UInt8]

        var json: JSONValue { get throws { try JSONValue.parse(bytes) } }

        /// - Throws: `FixtureError` with what the engine says when it is another status.
        @discardableResult
        func expect(_ allowed: Int...) throws -> Answer {
            guard allowed.contains(status) else {
                throw FixtureError("\(request): \(status) \(String(decoding: bytes.prefix(500), as: UTF8.self))")
            }
            return self
        }
    }

    /// Sends a request and reads the whole answer.
    func send(
        _ method: HTTPMethod,
        _ path: String,
        query: [(String, String)] = [],
        body: HTTPRequestBody = .none,
        type: String = "application/json"
    ) async throws -> Answer {
        let response = try await open(method, path, query: query, body: body, type: type)
        let bytes = try await response.body.collect(upTo: 256 << 20)
        return Answer(request: "\(method.rawValue) \(path)", status: response.status, bytes: bytes)
    }

    /// Sends a request and returns with the answer's head.
    func open(
        _ method: HTTPMethod,
        _ path: String,
        query: [(String, String)] = [],
        body: HTTPRequestBody = .none,
        type: String = "application/json",
        deadlines: HTTPDeadlines = EngineAPI.deadlines
    ) async throws -> HTTPResponse {
        let pairs = query.map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
        var request = HTTPRequest(
            method: method,
            url: "http://engine/v1.41\(path)" + (pairs.isEmpty ? "" : "?\(pairs)"),
            unixSocket: socket,
            body: body,
            deadlines: deadlines
        )
        if case .none = body {} else { request.headers = [HTTPHeader(name: "Content-Type", value: type)] }
        return try await client.execute(request)
    }

    /// Makes a container.
    /// - Returns: its id.
    func create(_ container: JSONValue, name: String) async throws -> String {
        let answer = try await send(
            .post,
            "/containers/create",
            query: [("name", name)],
            body: .bytes(Array(container.text.utf8))
        ).expect(201)
        guard let id = try answer.json.object?["Id"]?.string else { throw FixtureError("no id of a new container") }
        return id
    }

    /// Starts a container.
    func start(_ id: String) async throws { try await send(.post, "/containers/\(id)/start").expect(204, 304) }

    /// What `GET /containers/{id}/json` says.
    func inspect(_ id: String) async throws -> JSONObject {
        try await send(.get, "/containers/\(id)/json").expect(200).json.object ?? [:]
    }

    /// Containers with a label, whatever their state, as the list shows them.
    func containers(label: String) async throws -> [JSONObject] {
        let query = [("all", "1"), ("filters", Self.filter(label))]
        return try await send(.get, "/containers/json", query: query).expect(200).json.elements.compactMap(\.object)
    }

    static func filter(_ label: String) -> String { JSONValue.object(["label": [.string(label)]]).text }
}

extension EngineAPI {
    /// Removes what carries a label: containers with their anonymous volumes, volumes, and networks unless they are kept.
    func removeAll(label: String, keepingNetworks: Bool = false) async throws {
        let ids = try await containers(label: label).compactMap { $0["Id"]?.string }
        try await eachAtMost(8, ids) { id in
            // 409: somebody else is removing it.
            try await send(.delete, "/containers/\(id)", query: [("force", "1"), ("v", "1")]).expect(204, 404, 409)
        }
        try await eventually(within: .seconds(60), "containers of \(label) are gone") {
            try await containers(label: label).isEmpty
        }
        let filters = [("filters", Self.filter(label))]
        let volumes = try await send(.get, "/volumes", query: filters).expect(200).json.object?["Volumes"]?.elements
        try await eachAtMost(8, (volumes ?? []).compactMap { $0.object?["Name"]?.string }) { name in
            try await send(.delete, "/volumes/\(name)", query: [("force", "1")]).expect(204, 404)
        }
        guard !keepingNetworks else { return }
        for network in try await send(.get, "/networks", query: filters).expect(200).json.elements {
            guard let id = network.object?["Id"]?.string else { continue }
            // 403: a container's end of it goes some time after the container.
            try await eventually(within: .seconds(60), "network \(id) is gone") {
                try await send(.delete, "/networks/\(id)").expect(204, 403, 404).status != 403
            }
        }
    }
}

/// Does something for each element, at most so many at a time.
func eachAtMost<Element: Sendable, Result: Sendable>(
    _ limit: Int,
    _ elements: [Element],
    _ body: @escaping @Sendable (Element) async throws -> Result
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, element) in elements.enumerated() {
            if number >= limit { try await group.next() }
            group.addTask { _ = try await body(element) }
        }
        try await group.waitForAll()
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
private func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        let scalar = Unicode.Scalar(byte)
        if scalar.properties.isAlphabetic && byte < 0x80 || ("0"..."9").contains(scalar) || "-._~".utf8.contains(byte) {
            result.unicodeScalars.append(scalar)
        } else {
            result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}

extension JSONValue {
    /// The elements of an array; none of anything else.
    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// A whole number.
    var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }
}
