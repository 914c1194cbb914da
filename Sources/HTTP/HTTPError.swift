/// Why a request failed, or why its body ended early.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure callers tell apart.
    public enum Code: String, Sendable, CaseIterable {
        /// The URL isn't an absolute, percent-encoded http or https URL.
        case badURL
        /// Headers, method, body and options don't make up a request that can be sent.
        case badRequest
        /// Nobody listens there, or the way there is closed.
        case refused
        /// The host's name has no address.
        case unresolved
        /// No connection within `HTTPDeadlines.connect`, waiting for a free one included.
        case timeoutConnect
        /// No byte in either direction for `HTTPDeadlines.idle`.
        case timeoutIdle
        /// Not done within `HTTPDeadlines.total`.
        case timeoutTotal
        /// The TLS handshake failed: untrusted certificate, unreadable key, no common version.
        case tls
        /// The connection broke before the response was complete.
        case reset
        /// What the server sent is not HTTP/1.1.
        case protocolViolation
        /// The body is larger than the limit given.
        case bodyTooLarge
        /// The task that asked was cancelled, or the body was dropped.
        case cancelled
        /// The client was shut down.
        case closed
        /// The request body's source failed, or gave another length than announced.
        case bodyFailed
        /// Anything else: out of descriptors, out of memory, the event loop couldn't start.
        case other
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, with method and URL (without its query) where a request was under way.
    public let message: String
    /// Whether the reason may pass by itself. Whether the request may be repeated is for the caller to know.
    public let isRetryable: Bool
    /// The error of the request body's source, for `.bodyFailed`.
    public let cause: (any Error)?

    /// An error; `isRetryable` follows from the code unless given.
    public init(_ code: Code, _ message: String, isRetryable: Bool? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.isRetryable = isRetryable ?? code.usuallyPasses
        self.cause = cause
    }

    /// Code and message.
    public var description: String { "\(code.rawValue): \(message)" }
}

extension HTTPError.Code {
    var usuallyPasses: Bool {
        switch self {
        case .refused, .unresolved, .timeoutConnect, .timeoutIdle, .timeoutTotal, .reset: true
        case .badURL, .badRequest, .tls, .protocolViolation, .bodyTooLarge, .cancelled, .closed, .bodyFailed, .other:
            false
        }
    }
}
