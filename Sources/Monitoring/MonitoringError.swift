public import Util

/// What can go wrong in this module.
public struct MonitoringError: RetryableError, CustomStringConvertible {
    /// The kinds of errors of this module.
    public enum Code: String, Sendable {
        /// Text that is no address to listen on.
        case invalidAddress
        /// The address is in use, not this machine's, or not allowed.
        case cannotListen
        /// The server ended by itself.
        case serverFailed
    }

    /// The kind of error.
    public let code: Code
    /// What is wrong, where, and what is allowed.
    public let message: String
    /// The error that led to this one.
    public let cause: (any Error)?

    /// A taken port may become free; everything else stays.
    public var isRetryable: Bool { code == .cannotListen }

    /// The message.
    public var description: String { message }

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
