import Yams

/// Finds keys that aren't text before a YAML file is read in earnest.
///
/// The parser compares the keys of each mapping while it reads, and to compare two lists that aliases have multiplied takes as
/// long as if each had been written out: a file of 500 bytes would keep it busy for days.
public enum YAMLKeys {
    /// Stands in for the `*` of an alias; no file that people write has it.
    private static let placeholder: Unicode.Scalar = "\u{E000}"

    /// Whether all keys of all mappings are text. Only then may the text be read.
    /// - Throws: the parser's own error for what can't be read, with the places of the text.
    public static func areText(_ text: String) throws -> Bool {
        guard let withoutAliases = withoutAliases(text) else { return true }
        return try Yams.compose(yaml: withoutAliases).map(areText) ?? true
    }

    /// The text with each alias made a word, in which nothing is multiplied; nil when it has none.
    private static func withoutAliases(_ text: String) -> String? {
        var result = String.UnicodeScalarView()
        var hasAlias = false
        var star = false
        for scalar in text.unicodeScalars {
            if star {
                let isName = isOfName(scalar)
                hasAlias = hasAlias || isName
                result.append(isName ? placeholder : "*")
            }
            star = scalar == "*"
            if !star { result.append(scalar) }
        }
        if star { result.append("*") }
        return hasAlias ? String(result) : nil
    }

    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }

    private static func areText(_ node: Node) -> Bool {
        switch node {
        case .scalar, .alias: true
        case .sequence(let sequence): sequence.allSatisfy(areText)
        case .mapping(let mapping):
            mapping.allSatisfy { key, value in
                guard case .scalar(let scalar) = key, scalar.string.unicodeScalars.first != placeholder else {
                    return false
                }
                return areText(value)
            }
        }
    }
}
