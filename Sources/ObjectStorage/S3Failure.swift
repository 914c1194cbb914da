import HTTP

/// What a server said against a request: the `Error` document of the S3 API, or just a status.
struct S3Failure: Error, Sendable {
    let status: Int
    /// The S3 API's code, as `NoSuchKey`; nil when what came is no such document.
    let code: String?
    let text: String

    init(status: Int, body: [UInt8]) {
        self.status = status
        if let node = XMLNode.parse(body), node.name == "Error", let code = node.text(of: "Code"), !code.isEmpty {
            self.code = code
            text = node.text(of: "Message") ?? ""
        } else {
            code = nil
            text = ""
        }
    }

    init(status: Int, node: XMLNode) {
        self.status = status
        code = node.text(of: "Code")
        text = node.text(of: "Message") ?? ""
    }

    func error(for request: S3Request, at configuration: S3Configuration) -> ObjectStorageError {
        let kind = kind(hasKey: request.key != nil)
        let place = request.key.map { " for \($0.quotedForError)" } ?? ""
        var said = "status \(status)"
        if let code {
            // A server may repeat what it was sent. Quoting cuts and escapes, after which half a secret isn't found.
            let masked = [code, text].map {
                $0.without([configuration.secretKey, configuration.accessKey]).quotedForError
            }
            said += ", \(masked[0])" + (text.isEmpty ? "" : ": \(masked[1])")
        } else if kind == .unexpectedAnswer {
            said += " without an S3 error; is that an object store?"
        }
        let advice = kind == .clockSkew ? "; set this machine's clock" : ""
        return ObjectStorageError(kind, "\(configuration)\(place): \(said)\(advice)", cause: self)
    }

    func kind(hasKey: Bool) -> ObjectStorageError.Code {
        switch code {
        case "NoSuchKey": return .notFound
        case "NoSuchBucket": return .noBucket
        case "RequestTimeTooSkewed": return .clockSkew
        case "AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
            "AuthorizationHeaderMalformed":
            return .denied
        case "InvalidObjectName", "XMinioInvalidObjectName", "KeyTooLongError", "InvalidURI": return .invalidKey
        case "EntityTooLarge": return .tooLarge
        case "PreconditionFailed", "ConditionalRequestConflict": return .changed
        case "SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "ServiceUnavailable", "RequestTimeout",
            // The body was damaged on its way.
            "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody":
            return .unavailable
        default: break
        }
        switch status {
        case 401, 403: return .denied
        case 412: return .changed
        case 429, 500, 502...599: return .unavailable
        // Whatever answered knows nothing of objects: that isn't the same as the object not being there.
        case _ where code == nil: return .unexpectedAnswer
        default: return .refused
        }
    }
}

extension ObjectStorageError {
    /// The error of a request that got no answer, or of an answer that broke off.
    init(_ error: HTTPError, at configuration: S3Configuration) {
        let passes = error.isRetryable ? true : nil
        self.init(Code(error.code), "\(configuration): \(error.message)", cause: error, isRetryable: passes)
    }

    static func unexpected(_ what: String, at configuration: S3Configuration) -> ObjectStorageError {
        ObjectStorageError(
            .unexpectedAnswer,
            "\(configuration): the answer is \(what), not what the S3 API says; is that an object store?"
        )
    }
}

extension ObjectStorageError.Code {
    /// What it means for an object that a request failed.
    init(_ code: HTTPError.Code) {
        self =
            switch code {
            case .cancelled: .cancelled
            case .protocolViolation, .bodyTooLarge: .unexpectedAnswer
            case .badURL, .badRequest: .invalidConfiguration
            case .refused, .unresolved, .timeoutConnect, .timeoutIdle, .timeoutTotal, .tls, .reset, .closed,
                .bodyFailed,
                .other:
                .unavailable
            }
    }
}

extension String {
    /// The text with credentials masked, but those too short to tell from ordinary words.
    fileprivate func without(_ credentials: [String]) -> String {
        credentials.filter { $0.count >= 4 }.reduce(self) { $0.replacing($1, with: "***") }
    }

    /// The text with every occurrence of another replaced.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while let start = rest.indices.first(where: { rest[$0...].hasPrefix(part) }) {
            result += rest[..<start] + other
            rest = rest[start...].dropFirst(part.count)
        }
        return result + rest
    }
}
