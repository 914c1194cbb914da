import Glibc
import Runtime

/// Why something on this machine could not be done for a bot.
public struct LocalError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure callers tell apart.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The system refuses a file or folder: no room, no permission.
        case file
        /// A file of ours holds what we didn't write.
        case damaged
        /// A program could not be started.
        case program
        /// Somebody else has it at the moment.
        case busy
        /// The run isn't there any more.
        case gone
        /// A process is still there although everything was tried.
        case notEnded
        /// The system gives no more of something: threads, watches, descriptors.
        case exhausted
        /// The task was cancelled.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, where, and what the system says of it. Holds no environment.
    public let message: String
    /// What it came from, for logs.
    public let cause: (any Error)?
    /// Whether the same may succeed later without a change.
    public var isRetryable: Bool { code != .damaged && code != .gone }

    /// A failure.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}

extension LocalError {
    /// What a system call left in `errno`.
    static func system(_ doing: String, _ path: String, _ number: Int32 = errno) -> LocalError {
        LocalError(.file, "\(doing) \(path): \(String(cString: strerror(number)))")
    }

    /// The same failure as a runner's, told from what was being done.
    func runnerError(_ code: RunnerError.Code, _ doing: String) -> RunnerError {
        let kind: RunnerError.Code =
            switch self.code {
            case .cancelled: .cancelled
            case .notEnded: .notStopped
            case .busy: .conflict
            case .gone: .gone
            case .file, .damaged, .program, .exhausted: code
            }
        return RunnerError(kind, "\(doing): \(message)", cause: self, isRetryable: isRetryable)
    }
}
