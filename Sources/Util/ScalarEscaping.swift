extension Unicode.Scalar {
    /// Whether the scalar would change how a terminal or a line-based reader shows the text around it: control
    /// characters (C0, DEL, C1), line and paragraph separators, and bidirectional overrides.
    var disturbsText: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// The scalar inside a double-quoted string, in JSON's notation; all disturbing scalars are inside the basic plane.
    var escapedInQuotes: String {
        switch self {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: disturbsText ? "\\u\(hexadecimal(value, digits: 4))" : String(Character(self))
        }
    }
}

/// The low `digits` hexadecimal digits of a value, lower case.
func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
