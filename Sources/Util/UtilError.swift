/// An error that knows whether doing the same thing again can help.
public protocol RetryableError: Error {
    /// Whether a later attempt, with nothing changed on our side, may succeed.
    var isRetryable: Bool { get }
}

/// What can go wrong in this module.
public struct UtilError: RetryableError, CustomStringConvertible {
    /// The kinds of errors of this module.
    public enum Code: String, Sendable {
        /// Text that is no duration, or one outside what is allowed.
        case invalidDuration
        /// Text that is no RFC 3339 time, or a time outside the representable range.
        case invalidTimestamp
        /// Backoff parameters that contradict one another.
        case invalidBackoff
        /// A log level or format that doesn't exist.
        case invalidLogging
        /// The system gave no thread.
        case threadUnavailable
    }

    /// The kind of error.
    public let code: Code
    /// What is wrong, where, and what is allowed; free of secrets.
    public let message: String
    /// The error that led to this one.
    public let cause: (any Error)?

    /// Only a lack of threads passes by itself.
    public var isRetryable: Bool { code == .threadUnavailable }

    /// The message, followed by the cause's.
    public var description: String {
        guard let cause else { return message }
        return "\(message): \(cause)"
    }

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension StringProtocol {
    /// The text as error messages quote it: on one line, without control characters, cut to a readable length.
    var quotedForError: String {
        var text = ""
        for scalar in unicodeScalars.prefix(64) {
            text += scalar.escapedInQuotes
        }
        return unicodeScalars.count > 64 ? "\"\(text)…\"" : "\"\(text)\""
    }
}
