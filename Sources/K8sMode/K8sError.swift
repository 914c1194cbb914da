import HTTP
public import Util

/// Why the API server could not be asked, or what it answered instead of doing what it was asked.
public struct K8sError: RetryableError, CustomStringConvertible {
    /// The kinds of failure callers tell apart.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A kubeconfig, a file that it names or a setting that can't be used.
        case setting
        /// A credential that can't be had: a token file that can't be read, a credential program that fails.
        case credential
        /// Nobody answers at the server's address, or the connection broke.
        case unreachable
        /// No answer within the deadline.
        case timedOut
        /// The answer makes no sense, or is cut.
        case badAnswer
        /// The server doesn't know who asks (401).
        case unauthorized
        /// Who asks lacks a right, which the message names (403).
        case forbidden
        /// The server doesn't have it (404).
        case notFound
        /// Its name is taken (409, AlreadyExists).
        case alreadyExists
        /// It isn't in the state that was assumed: another version, another uid, fields of another manager (409).
        case conflict
        /// The place in a list or in the history that was asked for is gone (410): list again.
        case expired
        /// The object breaks rules of its kind (422).
        case invalid
        /// The server refuses the request (any other 4xx).
        case refused
        /// Too many requests (429).
        case throttled
        /// The server tried and failed (5xx).
        case failed
        /// The task was cancelled.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, where, and what the server says of it. Holds no credential.
    public let message: String
    /// What the server said, where it did.
    public let status: K8sStatus?
    /// How long the server wants to be left alone before the next attempt.
    public let retryAfter: Duration?
    /// What it came from, for logs.
    public let cause: (any Error)?

    /// Whether the same may succeed later without a change on our side.
    public var isRetryable: Bool {
        switch code {
        case .credential, .unreachable, .timedOut, .badAnswer, .unauthorized, .expired, .throttled, .failed: true
        case .setting, .forbidden, .notFound, .alreadyExists, .conflict, .invalid, .refused, .cancelled: false
        }
    }

    /// A failure.
    public init(
        _ code: Code,
        _ message: String,
        status: K8sStatus? = nil,
        retryAfter: Duration? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}

extension K8sError {
    /// A request that brought no response, or no whole one.
    init(_ error: HTTPError) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .timeoutConnect, .timeoutIdle, .timeoutTotal: .timedOut
            case .protocolViolation, .bodyTooLarge: .badAnswer
            case .badURL, .badRequest, .tls: .setting
            case .refused, .unresolved, .reset, .closed, .bodyFailed, .other: .unreachable
            }
        self.init(code, "API server: \(error.message)", cause: error)
    }
}
