public import Util

/// What goes wrong between us and a NATS server.
public struct NATSError: RetryableError, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, Hashable {
        /// Options that can't be used: a URL that is none, a file that isn't there.
        case invalidOptions
        /// The server can't be reached or doesn't answer.
        case unavailable
        /// The server refuses our credentials, or a right is missing.
        case unauthorized
        /// The server refuses what was asked.
        case refused
        /// The stream or the consumer doesn't exist.
        case notFound
        /// The connection was closed, by us.
        case closed
    }

    /// What kind of failure it is.
    public let code: Code
    /// What failed, where, and what would have been allowed; free of secrets and payloads.
    public let message: String
    /// What it came from, for logs.
    public let cause: (any Error)?

    /// Whether the same may succeed later without a change on our side: credentials can be repaired on the server's.
    public var isRetryable: Bool {
        switch code {
        case .unavailable, .unauthorized, .notFound: true
        case .invalidOptions, .refused, .closed: false
        }
    }

    /// The message.
    public var description: String { message }

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
