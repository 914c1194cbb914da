/// What is wrong with a cron expression, and where.
public struct CronError: RetryableError, Hashable, CustomStringConvertible {
    /// The kinds of errors.
    public enum Code: String, Sendable {
        /// No text, or only space.
        case empty
        /// Longer than ``CronExpression/longestText``.
        case tooLong
        /// Not five fields, nor six.
        case fieldCount
        /// Something that isn't cron's syntax.
        case malformed
        /// A number beyond what the field takes.
        case outOfRange
        /// A word that is no name of a month or a day.
        case unknownName
        /// `@something` that doesn't exist.
        case unknownShorthand
        /// `@every` without a duration of whole seconds.
        case invalidInterval
        /// `H` where nothing was given to spread by.
        case seedMissing
        /// No day ever fits, such as 30 February.
        case neverFires
        /// A time zone that isn't in the database.
        case unknownZone
        /// The time-zone database is missing, or can't be read.
        case zonesUnavailable
    }

    /// The kind of error.
    public let code: Code
    /// Where, in characters (Unicode scalars) from 1; one more than there are when something is missing at the end. Nil
    /// when it isn't about one place.
    public let column: Int?
    /// What is wrong and what is allowed.
    public let message: String

    /// A file of the time-zone database that can't be read may be readable later; the rest stays wrong.
    public var isRetryable: Bool { code == .zonesUnavailable }

    /// The column and the message.
    public var description: String {
        guard let column else { return message }
        return "column \(column): \(message)"
    }

    init(_ code: Code, column: Int? = nil, _ message: String) {
        self.code = code
        self.column = column
        self.message = message
    }

    func at(column: Int) -> CronError {
        CronError(code, column: column, message)
    }
}
