extension JSONValue {
    /// Compact JSON text, keys in the order they were set.
    public var text: String {
        var output = ""
        write(to: &output, sortKeys: false)
        return output
    }

    /// Compact JSON text with the keys of every object sorted: the same for values that are equal.
    public var canonicalText: String {
        var output = ""
        write(to: &output, sortKeys: true)
        return output
    }

    private func write(to output: inout String, sortKeys: Bool) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .integer(let value): output += String(value)
        // JSON has no infinities; the parser and BSON's decoding never make a double of one.
        case .double(let value): output += value.isFinite ? "\(value)" : "null"
        case .number(let text): output += text
        case .string(let text): JSONValue.writeString(text, to: &output)
        case .array(let elements):
            output += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { output += "," }
                element.write(to: &output, sortKeys: sortKeys)
            }
            output += "]"
        case .object(let object):
            output += "{"
            let keys = sortKeys ? object.keys.sorted() : object.keys
            for (index, key) in keys.enumerated() {
                if index > 0 { output += "," }
                JSONValue.writeString(key, to: &output)
                output += ":"
                (object[key] ?? .null).write(to: &output, sortKeys: sortKeys)
            }
            output += "}"
        }
    }

    private static func writeString(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{00}"..<"\u{20}", "\u{7F}":
                let hex = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
