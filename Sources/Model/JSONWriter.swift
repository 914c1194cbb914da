extension JSONValue {
    /// Compact JSON text, keys in the order they were set.
    public var text: String { JSONWriter.text(of: self, sortKeys: false) }

    /// Compact JSON text with the keys of every object sorted: the same for values that are equal.
    public var canonicalText: String { JSONWriter.text(of: self, sortKeys: true) }
}

/// Writes JSON as UTF-8: appending bytes is several times faster than appending to a `String`, and a full pass writes every
/// bot's config.
private struct JSONWriter {
    private var output: [UInt8] = []
    private let sortKeys: Bool

    static func text(of value: JSONValue, sortKeys: Bool) -> String {
        var writer = JSONWriter(sortKeys: sortKeys)
        writer.write(value)
        return String(decoding: writer.output, as: UTF8.self)
    }

    private init(sortKeys: Bool) {
        self.sortKeys = sortKeys
        output.reserveCapacity(512)
    }

    private mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        // JSON has no infinities; the parser and BSON's decoding never make a double of one.
        case .double(let value): append(value.isFinite ? value.description : "null")
        case .number(let text): append(text)
        case .string(let text): writeString(text)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                write(element)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object): write(object)
        }
    }

    private mutating func write(_ object: JSONObject) {
        output.append(UInt8(ascii: "{"))
        let members = sortKeys ? object.members.sorted { $0.key < $1.key } : object.members
        var isFirst = true
        for (key, value) in members {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            writeString(key)
            output.append(UInt8(ascii: ":"))
            write(value)
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Whatever is escaped is one byte in UTF-8, and never part of another character.
    private mutating func writeString(_ text: String) {
        output.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var written = 0
            for index in bytes.indices where Self.isEscaped(bytes[index]) {
                output.append(contentsOf: bytes[written..<index])
                writeEscape(bytes[index])
                written = index + 1
            }
            output.append(contentsOf: bytes[written...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append(#"\""#)
        case UInt8(ascii: "\\"): append(#"\\"#)
        case UInt8(ascii: "\n"): append(#"\n"#)
        case UInt8(ascii: "\r"): append(#"\r"#)
        case UInt8(ascii: "\t"): append(#"\t"#)
        default:
            let hex = String(byte, radix: 16)
            append(hex.utf8.count == 1 ? #"\u000"# : #"\u00"#)
            append(hex)
        }
    }

    private mutating func append(_ text: String) {
        output.append(contentsOf: text.utf8)
    }
}
