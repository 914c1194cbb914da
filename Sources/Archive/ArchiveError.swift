import Glibc

/// Why an archive was refused or couldn't be read or written.
public struct ArchiveError: Error, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong; decisions are made on this, never on the message.
    public enum Code: String, Sendable, CaseIterable {
        /// The file doesn't begin as a zip does, or doesn't end as one.
        case notAZip
        /// There is nothing in it: a file of no bytes, or a zip that holds no file.
        case empty
        /// An entry that could write outside the target, or is neither a file, a directory nor a link that stays inside.
        case unsafeEntry
        /// Two entries for one path, or a file where another entry needs a directory.
        case duplicate
        /// More bytes than allowed, in one file or in all.
        case tooLarge
        /// More entries than allowed.
        case tooManyEntries
        /// It expands more than an honest archive does.
        case ratio
        /// Something that the archive announces isn't there.
        case truncated
        /// The content contradicts itself or its checksums.
        case corrupt
        /// An entry can't be read without a password.
        case encrypted
        /// A valid feature that isn't supported, such as a rare compression method.
        case unsupported
        /// The calling task was cancelled.
        case cancelled
        /// The operating system refused to read or write.
        case io
    }

    /// An error of the operating system.
    public struct SystemError: Error, Sendable, CustomStringConvertible {
        /// The value of `errno`.
        public let number: Int32
        /// The system's text for it.
        public var description: String { "\(String(cString: strerror(number))) (errno \(number))" }
    }

    /// The kind of error.
    public let code: Code
    /// The entry concerned, escaped for printing and shortened; nil where the archive as a whole is meant.
    public let entry: String?
    /// What is wrong, where, and what is allowed.
    public let message: String
    /// The operating system's error behind it, if any.
    public let cause: SystemError?

    /// Whether the same call can succeed later: only for errors of the operating system.
    public var isRetryable: Bool { code == .io }

    /// One line for logs.
    public var description: String {
        let place = entry.map { "entry \"\($0)\": " } ?? ""
        let reason = cause.map { ": \($0)" } ?? ""
        return "archive \(code.rawValue): \(place)\(message)\(reason)"
    }

    init(_ code: Code, entry: [UInt8]? = nil, _ message: String, errno number: Int32? = nil) {
        self.code = code
        self.entry = entry.map { printable($0) }
        self.message = message
        self.cause = number.map { SystemError(number: $0) }
    }

    init(_ code: Code, entry: String, _ message: String, errno number: Int32? = nil) {
        self.init(code, entry: Array(entry.utf8), message, errno: number)
    }

    /// The error of a system call that just failed.
    static func system(_ doing: String, entry: String? = nil) -> ArchiveError {
        ArchiveError(.io, entry: entry.map { Array($0.utf8) }, doing, errno: errno)
    }

    static var noMemory: ArchiveError { ArchiveError(.io, "libarchive has no memory", errno: ENOMEM) }
}
