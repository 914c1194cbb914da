import Runtime

extension K8sError {
    /// The same failure as a runner's, told from what was being done.
    ///
    /// - Parameters:
    ///   - refusal: the code where the server answered and the answer was no.
    ///   - doing: what failed, as "making Pod x".
    func runnerError(_ refusal: RunnerError.Code, _ doing: String) -> RunnerError {
        let text = "\(doing): \(message)"
        switch code {
        case .cancelled: return RunnerError(.cancelled, "\(doing): cancelled", cause: self)
        case .unreachable, .timedOut, .badAnswer, .credential, .unauthorized, .expired, .throttled, .failed:
            return RunnerError(.unavailable, text, cause: self)
        case .setting: return RunnerError(.unavailable, text, cause: self, isRetryable: false)
        case .alreadyExists, .conflict: return RunnerError(.conflict, text, cause: self)
        // Rights are granted, and quotas raised or freed, without a change of the bot.
        case .forbidden: return RunnerError(refusal, text, cause: self, isRetryable: true)
        case .notFound: return RunnerError(refusal, text, cause: self, isRetryable: true)
        case .invalid, .refused: return RunnerError(.refused, text, cause: self)
        }
    }
}
