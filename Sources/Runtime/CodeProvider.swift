public import Model

/// Gives backends the code they run.
public protocol CodeProvider: Sendable {
    /// Has the code of a version brought to this machine, once however many ask for it, and lends it for the time of `body`.
    /// - Throws: ``RunnerError`` with code `codeUnavailable` or `codeInvalid`, or what `body` throws.
    func withCode<Result: Sendable>(
        of version: CustomBotVersion,
        _ body: @Sendable (CodeArchive) async throws(RunnerError) -> Result
    ) async throws(RunnerError) -> Result
}

/// A program's code, checked and normalised: a tar on this machine, owned by the bots' user.
public struct CodeArchive: Sendable {
    /// Where the tar lies.
    public let path: String
    /// Its size in bytes.
    public let size: Int64
    /// The paths of its files, relative to `/bot`.
    public let files: Set<String>
    /// A hash of the tar, which tells it from any other; nil where that isn't known.
    public let digest: String?

    /// A tar with these files.
    public init(path: String, size: Int64, files: Set<String>, digest: String? = nil) {
        self.path = path
        self.size = size
        self.files = files
        self.digest = digest
    }
}
