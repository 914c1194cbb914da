import HTTP
import Runtime

/// Why the engine could not be asked, or what it answered instead of doing what it was asked.
public struct DockerError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure callers tell apart.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A setting that can't be used, such as `DOCKER_HOST`.
        case setting
        /// Nobody answers at the engine's address, or the connection broke.
        case unreachable
        /// No answer within the deadline.
        case timedOut
        /// The answer makes no sense, or is cut.
        case badAnswer
        /// The engine doesn't have it (404).
        case notFound
        /// It is in a state that forbids it, or its name is taken (409).
        case conflict
        /// The engine refuses the request (any other 4xx).
        case refused
        /// The engine tried and failed (5xx).
        case failed
        /// The task was cancelled.
        case cancelled
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, where, and what the engine says of it. Holds no environment and no credential.
    public let message: String
    /// What it came from, for logs.
    public let cause: (any Error)?
    /// Whether the same may succeed later without a change.
    public var isRetryable: Bool { code != .setting && code != .refused }

    /// A failure.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}

extension DockerError {
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
        self.init(code, "Docker engine: \(error.message)", cause: error)
    }

    /// The same failure as a runner's, told from what was being done.
    ///
    /// - Parameters:
    ///   - refusal: the code where the engine answered and the answer was no.
    ///   - doing: what failed, as "starting container x".
    func runnerError(_ refusal: RunnerError.Code, _ doing: String) -> RunnerError {
        switch code {
        case .cancelled: RunnerError(.cancelled, "\(doing): cancelled", cause: self)
        case .unreachable, .timedOut, .badAnswer: RunnerError(.unavailable, "\(doing): \(message)", cause: self)
        case .setting: RunnerError(.unavailable, "\(doing): \(message)", cause: self, isRetryable: false)
        case .notFound, .conflict, .refused, .failed:
            RunnerError(refusal, "\(doing): \(message)", cause: self, isRetryable: isRetryable)
        }
    }
}
