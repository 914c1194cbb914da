/// A document that can't be used: which one, which field, and what was expected there.
public struct DocumentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The document's id, or what identifies it where the id itself is broken.
    public let id: String
    /// The path of the field, as `custom.config.runtime`.
    public let field: String
    /// What is wrong with it and what was expected. Never its value: configurations hold keys.
    public let problem: String

    /// Describes a broken field; the value itself must not be part of the problem.
    public init(id: String, field: String, problem: String) {
        self.id = id
        self.field = field
        self.problem = problem
    }

    /// The id, the field and what is wrong with it, on one line.
    public var description: String { "\(id.escapedForMessage): \(field) \(problem)" }
}

extension String {
    /// The text in double quotes, on one line and cut to a bearable length, for error messages.
    public var escapedForMessage: String {
        let limit = 120
        let head = unicodeScalars.prefix(limit)
        var output = "\""
        for scalar in head { output += scalar.escaped(asASCII: false) }
        return output + (unicodeScalars.count > limit ? "…\"" : "\"")
    }
}
