import Model

/// What the API server says of a request that it didn't do as asked (`meta/v1` Status).
public struct K8sStatus: Sendable, Hashable {
    /// The HTTP status code.
    public let code: Int
    /// The machine-readable reason, as `AlreadyExists`; empty where none is given.
    public let reason: String
    /// For people; bounded, on one line.
    public let message: String
    /// What in particular is wrong, each as `field: message`; at most ten.
    public let causes: [String]
    /// How long to wait before the next attempt.
    public let retryAfterSeconds: Int?
    /// The name of the object that it is about; empty where none is told.
    public let name: String

    /// Reads a Status object; nil for anything else.
    /// - Parameter code: the HTTP status it came with; in a watch it is the object's own.
    init?(_ value: JSONValue, code: Int? = nil) {
        guard let object = value.object, object["kind"]?.string == "Status" else { return nil }
        let details = object["details"]?.object
        self.code = code ?? object["code"]?.wholeNumber.map { Int(clamping: $0) } ?? 0
        reason = object["reason"]?.string?.onOneLine ?? ""
        message = object["message"]?.string?.onOneLine ?? ""
        name = details?["name"]?.string?.onOneLine ?? ""
        retryAfterSeconds = details?["retryAfterSeconds"]?.wholeNumber.map { Int(clamping: $0) }
        causes = (details?["causes"]?.array ?? []).prefix(10).compactMap { cause in
            guard let cause = cause.object, let message = cause["message"]?.string else { return nil }
            return [cause["field"]?.string, message].compactMap { $0 }.joined(separator: ": ").onOneLine
        }
    }

    /// The kind of failure that it stands for.
    var errorCode: K8sError.Code {
        switch code {
        case 401: .unauthorized
        case 403: .forbidden
        case 404: .notFound
        case 409: reason == "AlreadyExists" ? .alreadyExists : .conflict
        case 410: .expired
        case 422: .invalid
        case 429: .throttled
        case 400..<500: reason == "Expired" || reason == "Gone" ? .expired : .refused
        case 500...: .failed
        default: .badAnswer
        }
    }

    init(code: Int, message: String) {
        self.code = code
        self.message = message
        reason = ""
        causes = []
        retryAfterSeconds = nil
        name = ""
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
