public import Util

/// Why an object couldn't be read or stored.
public struct ObjectStorageError: RetryableError, CustomStringConvertible {
    /// The kinds of failure callers tell apart.
    public enum Code: String, Sendable, CaseIterable {
        /// The bucket has no object of this key.
        case notFound
        /// The bucket isn't there.
        case noBucket
        /// The credentials are wrong or don't allow this.
        case denied
        /// This machine's clock and the server's differ by more than a signature allows.
        case clockSkew
        /// The key can't be one, or the server doesn't take it.
        case invalidKey
        /// A setting that can't be right.
        case invalidConfiguration
        /// The object is larger than the limit given or than can be stored.
        case tooLarge
        /// The object ended before its announced end.
        case truncated
        /// The server can't be reached, doesn't answer in time, or says that it can't at the moment.
        case unavailable
        /// What answered doesn't speak as an object store does.
        case unexpectedAnswer
        /// The server refuses the request for another reason.
        case refused
        /// The object isn't the one that was expected: somebody else wrote it meanwhile.
        case changed
        /// A file on this machine can't be read or written.
        case localFile
        /// There is no room left on this machine's disk.
        case diskFull
        /// The task was cancelled.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, where, and what is allowed; free of credentials.
    public let message: String
    /// What led to it.
    public let cause: (any Error)?
    /// Whether the same call may succeed later with nothing changed on our side.
    public let isRetryable: Bool

    /// A failure; whether it is retryable follows from the code unless given.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, isRetryable: Bool? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetryable = isRetryable ?? code.usuallyPasses
    }

    /// The message, which says it all.
    public var description: String { message }
}

extension ObjectStorageError.Code {
    fileprivate var usuallyPasses: Bool {
        switch self {
        case .unavailable, .truncated, .unexpectedAnswer, .localFile, .diskFull: true
        case .notFound, .noBucket, .denied, .clockSkew, .invalidKey, .invalidConfiguration, .tooLarge, .refused,
            .changed, .cancelled:
            false
        }
    }
}

extension String {
    /// The text in double quotes, on one line and cut to a bearable length.
    var quotedForError: String {
        let limit = 160
        var text = "\""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                if scalar == "\"" || scalar == "\\" { text += "\\" }
                text.unicodeScalars.append(scalar)
            }
        }
        return text + (unicodeScalars.count > limit ? "…\"" : "\"")
    }
}
