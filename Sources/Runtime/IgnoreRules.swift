/// What of a code folder is no code: the rules of a `.the0ignore`, written as in a `.gitignore`.
///
/// `#` begins a comment; `*`, `?` and `[…]` match within a name, `**` any number of folders; a pattern with a slash at its beginning
/// or inside is bound to the folder's root, any other matches names at every depth; a slash at the end means folders only; `!`
/// takes back what an earlier line left out. The last line that matches decides. What lies in a folder that is left out is
/// out too.
struct IgnoreRules: Sendable, Hashable {
    private struct Rule: Sendable, Hashable {
        var components: [Component]
        var isDirectoryOnly: Bool
        var takesBack: Bool
    }

    private enum Component: Sendable, Hashable {
        case anyDepth
        case name(GlobPattern)
    }

    private var rules: [Rule] = []

    /// The rules of a text, the last ones strongest.
    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            if let rule = Self.rule(line) { rules.append(rule) }
        }
    }

    private static func rule(_ line: Substring) -> Rule? {
        var text = line
        while text.last == " " || text.last == "\t", !text.dropLast().hasSuffix("\\") { text.removeLast() }
        guard !text.isEmpty, text.first != "#" else { return nil }
        let takesBack = text.first == "!"
        if takesBack { text.removeFirst() }
        let isDirectoryOnly = text.last == "/"
        if isDirectoryOnly { text.removeLast() }
        let isBound = text.contains("/")
        var components = text.split(separator: "/").map { component -> Component in
            component == "**" ? .anyDepth : .name(GlobPattern(component))
        }
        guard !components.isEmpty else { return nil }
        // "a/**" means what is in a, not a itself.
        if components.last == .anyDepth { components.append(.name(GlobPattern("*"))) }
        if !isBound { components.insert(.anyDepth, at: 0) }
        return Rule(components: components, isDirectoryOnly: isDirectoryOnly, takesBack: takesBack)
    }

    /// Whether an entry is left out, given that the folders it lies in are not.
    func excludes(_ path: String, isDirectory: Bool) -> Bool {
        let names = path.split(separator: "/")
        let last = rules.last { rule in
            (isDirectory || !rule.isDirectoryOnly)
                && matchesWithRetry(rule.components, names, isStar: { $0 == .anyDepth }) { component, name in
                    switch component {
                    case .anyDepth: false
                    case .name(let pattern): pattern.matches(name)
                    }
                }
        }
        return last.map { !$0.takesBack } ?? false
    }
}
