import CMongo
import Model

/// Writes JSON values as BSON: what each kind becomes is in <doc:BSONMapping>.
struct BSONWriter {
    /// What MongoDB documents as the deepest nesting of a document.
    static let depthLimit = 100

    /// A document with these members, in their order.
    static func document(_ object: JSONObject) throws(BSONError) -> [UInt8] {
        var writer = BSONWriter()
        try writer.append(object, depth: 1)
        return writer.bytes
    }

    /// A command that carries documents which are written already.
    static func command(_ head: JSONObject, _ list: String, _ documents: [[UInt8]]) throws(BSONError) -> [UInt8] {
        var writer = BSONWriter()
        try writer.nest { writer throws(BSONError) in
            for (key, value) in head.members { try writer.append(value, key: key, depth: 1) }
            try writer.nest(list, isArray: true) { writer in
                for (index, document) in documents.enumerated() {
                    writer.element(0x03, "\(index)")
                    writer.bytes += document
                }
            }
        }
        return writer.bytes
    }

    private(set) var bytes: [UInt8] = []

    private mutating func append(_ object: JSONObject, depth: Int) throws(BSONError) {
        let start = try begin(depth: depth)
        for (key, value) in object.members {
            guard !key.utf8.contains(0) else {
                throw BSONError("has a key that holds a NUL character, which BSON can't express").inside(key)
            }
            do throws(BSONError) { try append(value, key: key, depth: depth) } catch { throw error.inside(key) }
        }
        end(start)
    }

    private mutating func append(_ elements: [JSONValue], depth: Int) throws(BSONError) {
        let start = try begin(depth: depth)
        for (index, value) in elements.enumerated() {
            let key = String(index)
            do throws(BSONError) { try append(value, key: key, depth: depth) } catch { throw error.inside(key) }
        }
        end(start)
    }

    mutating func append(_ value: JSONValue, key: String, depth: Int) throws(BSONError) {
        switch value {
        case .null: element(0x0A, key)
        case .bool(let flag):
            element(0x08, key)
            bytes.append(flag ? 1 : 0)
        case .integer(let number):
            if let small = Int32(exactly: number) {
                element(0x10, key)
                append(small)
            } else {
                element(0x12, key)
                append(number)
            }
        case .double(let number):
            element(0x01, key)
            append(number.bitPattern)
        case .number(let text): append(number: text, key: key)
        case .string(let text): append(text, key: key)
        case .array(let elements):
            element(0x04, key)
            try append(elements, depth: depth + 1)
        case .object(let object):
            element(0x03, key)
            try append(object, depth: depth + 1)
        }
    }

    mutating func append(_ text: String, key: String) {
        element(0x02, key)
        // A text too long for its length is too long for a document; that is checked on the whole.
        append(Int32(clamping: text.utf8.count + 1))
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    /// A number of 64 bits however small it is.
    mutating func append(int64 number: Int64, key: String) {
        element(0x12, key)
        append(number)
    }

    /// A document, or an array when its keys count from 0.
    mutating func nest(_ key: String, isArray: Bool = false, _ body: (inout BSONWriter) throws(BSONError) -> Void)
        throws(BSONError)
    {
        element(isArray ? 0x04 : 0x03, key)
        try nest(body)
    }

    /// The members of a document, written one by one.
    mutating func nest(_ body: (inout BSONWriter) throws(BSONError) -> Void) throws(BSONError) {
        let start = try begin(depth: 1)
        try body(&self)
        end(start)
    }

    private mutating func append(number text: String, key: String) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        guard cmongo_decimal_from_text(text, Int32(clamping: text.utf8.count), &low, &high) else {
            return append(text, key: key)
        }
        element(0x13, key)
        append(low)
        append(high)
    }

    private mutating func element(_ type: UInt8, _ key: String) {
        bytes.append(type)
        bytes.append(contentsOf: key.utf8)
        bytes.append(0)
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func begin(depth: Int) throws(BSONError) -> Int {
        guard depth <= Self.depthLimit else { throw BSONError("is nested more than \(Self.depthLimit) deep") }
        defer { append(Int32(0)) }
        return bytes.count
    }

    private mutating func end(_ start: Int) {
        bytes.append(0)
        let length = Int32(clamping: bytes.count - start)
        withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
    }
}
