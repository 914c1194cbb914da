import CMongo
import Model
import Util

extension BSONReader {
    /// The value of an element of that type; `depth` is that of the document it stands in.
    mutating func value(_ type: UInt8, depth: Int) throws(BSONError) -> JSONValue {
        switch type {
        case 0x01: return .number(from: Double(bitPattern: try integer(UInt64.self)))
        case 0x02, 0x0D, 0x0E: return .string(try string())
        case 0x03: return .object(try object(depth: depth + 1))
        case 0x04: return .array(try array(depth: depth + 1))
        case 0x05: return .string(try binary())
        case 0x06, 0x0A: return .null
        case 0x07: return .string(try objectID())
        case 0x08: return .bool(try bool())
        case 0x09: return .date(try integer(Int64.self))
        case 0x0B:
            return .extended(
                "$regularExpression",
                ["pattern": .string(try cString()), "options": .string(try cString())]
            )
        case 0x0C: return .extended("$dbPointer", ["$ref": .string(try string()), "$id": .string(try objectID())])
        case 0x0F: return try codeWithScope(depth: depth)
        case 0x10: return .integer(Int64(try integer(Int32.self)))
        case 0x11: return try timestamp()
        case 0x12: return .integer(try integer(Int64.self))
        case 0x13: return .decimal(low: try integer(UInt64.self), high: try integer(UInt64.self))
        case 0x7F: return .extended("$maxKey", 1)
        case 0xFF: return .extended("$minKey", 1)
        default: throw BSONError("has the type \(type), which BSON doesn't have")
        }
    }

    private mutating func object(depth: Int) throws(BSONError) -> JSONObject {
        let end = try nestedEnd(depth: depth)
        var object = JSONObject()
        while let type = try elementType(end: end) {
            let key = try key()
            do throws(BSONError) { object[key] = try value(type, depth: depth) } catch { throw error.inside(key) }
        }
        return object
    }

    /// The keys of an array say nothing: it is its order that counts, as for every driver.
    private mutating func array(depth: Int) throws(BSONError) -> [JSONValue] {
        let end = try nestedEnd(depth: depth)
        var elements: [JSONValue] = []
        while let type = try elementType(end: end) {
            _ = try key()
            do throws(BSONError) {
                elements.append(try value(type, depth: depth))
            } catch { throw error.inside(String(elements.count)) }
        }
        return elements
    }

    private mutating func nestedEnd(depth: Int) throws(BSONError) -> Int {
        guard depth <= Self.depthLimit else { throw BSONError("is nested more than \(Self.depthLimit) deep") }
        return try documentEnd()
    }

    private mutating func bool() throws(BSONError) -> Bool {
        switch try integer(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw BSONError("is a boolean that is neither 0 nor 1")
        }
    }

    private mutating func objectID() throws(BSONError) -> String {
        let start = try advance(12)
        return bytes[start..<start + 12].hexadecimal
    }

    private mutating func binary() throws(BSONError) -> String {
        let length = Int(try integer(Int32.self))
        let subtype = try integer(UInt8.self)
        var range = try advance(length)..<position
        // The old subtype repeats the length within the data.
        if subtype == 2 {
            guard length >= 4, Int(bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Int32.self)) == length - 4
            else { throw BSONError("is binary data with a wrong length") }
            range = range.lowerBound + 4..<range.upperBound
        }
        return bytes[range].base64
    }

    private mutating func timestamp() throws(BSONError) -> JSONValue {
        let increment = try integer(UInt32.self)
        let seconds = try integer(UInt32.self)
        return .extended("$timestamp", ["t": .integer(Int64(seconds)), "i": .integer(Int64(increment))])
    }

    private mutating func codeWithScope(depth: Int) throws(BSONError) -> JSONValue {
        let start = position
        let length = Int(try integer(Int32.self))
        let code = try string()
        let scope = try object(depth: depth + 1)
        guard position - start == length else { throw BSONError("is code with a wrong length") }
        return ["$code": .string(code), "$scope": .object(scope)]
    }
}

extension JSONValue {
    fileprivate static func extended(_ name: String, _ content: JSONValue) -> JSONValue {
        var object = JSONObject()
        object[name] = content
        return .object(object)
    }

    /// The platform writes every number of a config as a double, as Go reads JSON, and hands it on as Go writes it: a whole one
    /// without a fraction. 2^53 is the last up to which doubles tell whole numbers apart.
    fileprivate static func number(from double: Double) -> JSONValue {
        if abs(double) <= 9_007_199_254_740_992, let whole = Int64(exactly: double) { return .integer(whole) }
        if double.isFinite { return .double(double) }
        return .string(double.isNaN ? "NaN" : double < 0 ? "-Infinity" : "Infinity")
    }

    fileprivate static func date(_ milliseconds: Int64) -> JSONValue {
        // RFC 3339 has the years 0 to 9999; a date beyond them stays the number it is.
        guard (-62_167_219_200_000...253_402_300_799_999).contains(milliseconds) else { return .integer(milliseconds) }
        return .string(RFC3339.string(millisecondsSince1970: milliseconds))
    }

    fileprivate static func decimal(low: UInt64, high: UInt64) -> JSONValue {
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(BSON_DECIMAL128_STRING)) { buffer in
            guard let start = buffer.baseAddress else { return "NaN" }
            cmongo_decimal_to_text(low, high, start)
            return String(cString: start)
        }
        return text.hasSuffix("NaN") || text.hasSuffix("Infinity") ? .string(text) : .number(text)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Base64 of RFC 4648, padded.
    fileprivate var base64: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        output.reserveCapacity((count + 2) / 3 * 4)
        var rest = self
        while !rest.isEmpty {
            let group = rest.prefix(3)
            rest = rest.dropFirst(3)
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for index in 0..<4 {
                let digit = alphabet[Int(bits >> (18 - 6 * UInt32(index)) & 63)]
                output.append(index <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
