import Glibc
public import Util

/// Why lines couldn't be kept, stored or read.
public struct LogsError: RetryableError, CustomStringConvertible {
    /// The kinds of failure callers tell apart.
    public enum Code: String, Sendable, CaseIterable {
        /// Another process has the spool.
        case spoolInUse
        /// The spool's folder can't be read or written.
        case spoolUnusable
        /// There is no room left on this machine's disk.
        case diskFull
        /// What lies in the spool isn't what this program writes.
        case damaged
        /// The object store can't be read or written.
        case storage
        /// What runs, or its output, can't be read.
        case runner
        /// A setting that can't be right.
        case invalidOption
        /// The task was cancelled.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, where, and what is allowed.
    public let message: String
    /// What led to it.
    public let cause: (any Error)?
    /// Whether the same call may succeed later with nothing changed on our side.
    public let isRetryable: Bool

    /// A failure; by default retryable where time may cure it.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, isRetryable: Bool? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetryable = isRetryable ?? [.diskFull, .storage, .runner, .spoolUnusable].contains(code)
    }

    /// The message, which says it all.
    public var description: String { message }

    /// The error of a system call.
    static func system(_ doing: String, _ path: String, _ number: Int32) -> LogsError {
        let isFull = number == ENOSPC || number == EDQUOT
        return LogsError(isFull ? .diskFull : .spoolUnusable, "\(doing) \(path): \(String(cString: strerror(number)))")
    }
}
