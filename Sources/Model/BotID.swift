/// The id of a bot or of a schedule: any text that isn't empty and holds no NUL, compared byte by byte.
///
/// It is data, never a path, a name or a part of one.
public struct BotID: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The id as it stands in the database.
    public let text: String

    /// Wraps an id that was already accepted, as one read from a label this program wrote.
    public init(_ text: String) { self.text = text }

    /// An id written in code.
    public init(stringLiteral value: String) { self.init(value) }

    /// Accepts an id from outside.
    /// - Throws: ``DocumentError`` when it is empty or holds a NUL, which neither an environment nor a label can carry.
    public init(validating text: String) throws(DocumentError) {
        guard !text.isEmpty else { throw DocumentError(id: "", field: "id", problem: "is empty; expected any text") }
        guard !text.utf8.contains(0) else {
            throw DocumentError(id: text, field: "id", problem: "holds a NUL character; any other text is allowed")
        }
        self.init(text)
    }

    /// Whether both have the same bytes.
    public static func == (left: BotID, right: BotID) -> Bool { ExactText(left.text) == ExactText(right.text) }

    /// The order of the bytes.
    public static func < (left: BotID, right: BotID) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { ExactText(text).hash(into: &hasher) }

    /// The id as it stands in the database.
    public var description: String { text }
}
