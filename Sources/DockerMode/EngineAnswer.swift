import HTTP
import Model

/// What the engine answered.
struct EngineAnswer: Sendable {
    private let call: EngineCall
    let status: Int
    let body: [UInt8]

    init(call: EngineCall, status: Int, body: [UInt8]) {
        self.call = call
        self.status = status
        self.body = body
    }

    /// Checks the status.
    /// - Throws: ``DockerError`` telling what the engine says, for any status but the allowed ones.
    func expect(_ allowed: Int...) throws(DockerError) {
        guard !allowed.contains(status) else { return }
        let code: DockerError.Code =
            switch status {
            case 404: .notFound
            case 409: .conflict
            case 400..<500: .refused
            case 500...: .failed
            default: .badAnswer
            }
        throw DockerError(code, "engine, \(name): \(said)")
    }

    /// The body as JSON, after the status was found to be 200 or 201.
    func json() throws(DockerError) -> JSONValue {
        try expect(200, 201)
        do { return try JSONValue.parse(body) } catch { throw nonsense(error.description) }
    }

    /// The body as a JSON object.
    func object() throws(DockerError) -> JSONObject {
        guard let object = try json().object else { throw nonsense("not an object") }
        return object
    }

    /// The body as a JSON array; the engine writes an empty one as null in places.
    func array() throws(DockerError) -> [JSONValue] {
        switch try json() {
        case .array(let elements): return elements
        case .null: return []
        default: throw nonsense("not an array")
        }
    }

    /// An answer that can't be read.
    func nonsense(_ problem: String) -> DockerError {
        DockerError(.badAnswer, "engine, \(name): the answer makes no sense: \(problem)")
    }

    private var name: String { "\(call.method.rawValue) \(call.path)" }

    private var said: String {
        guard let message = (try? JSONValue.parse(body))?.object?["message"]?.string, !message.isEmpty else {
            return "status \(status)"
        }
        return "status \(status), \(message.onOneLine)"
    }
}

extension String {
    /// Text from outside for the end of a message: bounded, without control characters.
    var onOneLine: String {
        let limit = 600
        var result = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.count > limit ? result + "…" : result
    }
}
