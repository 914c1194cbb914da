/// Why an entrypoint can't be used.
public struct EntrypointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// There is no text.
        case empty
        /// Longer than Linux takes.
        case tooLong
        /// A control character, such as a newline or NUL.
        case controlCharacter
        /// Starts with `/`.
        case absolute
        /// Has a `..` between its slashes.
        case leavesDirectory
        /// Names a directory.
        case directory
        /// Not a file of this kind.
        case wrongType
        /// What follows the JAR is no class name.
        case badClassName
    }

    /// What is wrong, for decisions.
    public let code: Code
    /// What is wrong and what is allowed, for people.
    public let message: String
    /// Always nil: nothing lies beneath.
    public var cause: (any Error)? { nil }
    /// Never: the same text is wrong again.
    public var isRetryable: Bool { false }

    /// The message.
    public var description: String { message }
}
