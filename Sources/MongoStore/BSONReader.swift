import Model
import Util

/// Why bytes aren't a usable BSON document.
struct BSONError: Error, Hashable {
    /// The keys and indexes that lead to the element, outermost last.
    private(set) var reversedPath: [String] = []
    /// What is wrong and what was expected; never a value.
    let problem: String

    init(_ problem: String) { self.problem = problem }

    func inside(_ key: String) -> BSONError {
        var copy = self
        copy.reversedPath.append(key)
        return copy
    }

    /// The path as error messages show it: bounded, and on one line whatever the keys are.
    var path: String {
        let shown = reversedPath.reversed().prefix(12).map { key in
            let isPlain = key.utf8.count <= 64 && key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            return isPlain ? key : key.escapedForMessage
        }
        return shown.isEmpty ? "document" : shown.joined(separator: ".") + (reversedPath.count > 12 ? "…" : "")
    }
}

/// Reads BSON documents, straight into JSON values. Every length is checked against the bytes there are.
///
/// What becomes of each type is in <doc:BSONMapping>.
struct BSONReader {
    /// As deep as Model reads JSON.
    static let depthLimit = 200

    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The whole document, or of its top level only the members that `isWanted` picks.
    static func document(
        _ bytes: UnsafeRawBufferPointer,
        where isWanted: (String) -> Bool = { _ in true }
    ) throws(BSONError) -> JSONObject {
        var reader = BSONReader(bytes)
        let end = try reader.documentEnd()
        guard end == bytes.count - 1 else { throw BSONError("has bytes after its end") }
        var object = JSONObject()
        while let type = try reader.elementType(end: end) {
            let key = try reader.key()
            do throws(BSONError) {
                if isWanted(key) {
                    object[key] = try reader.value(type, depth: 1)
                } else {
                    try reader.skip(type)
                }
            } catch { throw error.inside(key) }
        }
        return object
    }

    /// Reads a document's length; the position of its closing NUL.
    mutating func documentEnd() throws(BSONError) -> Int {
        let start = position
        let length = Int(try integer(Int32.self))
        guard length >= 5, length <= bytes.count - start else { throw BSONError("is cut off or has a wrong length") }
        let end = start + length - 1
        guard bytes[end] == 0 else { throw BSONError("doesn't end where its length says") }
        return end
    }

    /// The next element's type; nil at the document's end, which is then behind.
    mutating func elementType(end: Int) throws(BSONError) -> UInt8? {
        guard position <= end else { throw BSONError("has an element that reaches beyond its end") }
        let type = bytes[position]
        position += 1
        guard type != 0 else {
            guard position == end + 1 else { throw BSONError("ends before its length says") }
            return nil
        }
        return type
    }

    mutating func key() throws(BSONError) -> String { try cString() }

    mutating func cString() throws(BSONError) -> String {
        let start = position
        while position < bytes.count, bytes[position] != 0 { position += 1 }
        guard position < bytes.count else { throw BSONError("holds a key that isn't ended") }
        defer { position += 1 }
        return try text(start..<position)
    }

    mutating func integer<Number: FixedWidthInteger>(_: Number.Type) throws(BSONError) -> Number {
        let end = try advance(MemoryLayout<Number>.size)
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: Number.self))
    }

    mutating func string() throws(BSONError) -> String {
        let length = Int(try integer(Int32.self))
        guard length >= 1 else { throw BSONError("is text with a wrong length") }
        let start = try advance(length)
        guard bytes[start + length - 1] == 0 else { throw BSONError("is text that doesn't end where its length says") }
        return try text(start..<start + length - 1)
    }

    /// Passes over some bytes; where they began.
    mutating func advance(_ count: Int) throws(BSONError) -> Int {
        guard count >= 0, count <= bytes.count - position else { throw BSONError("is cut off") }
        defer { position += count }
        return position
    }

    private func text(_ range: Range<Int>) throws(BSONError) -> String {
        guard let text = String(utf8: UnsafeRawBufferPointer(rebasing: bytes[range])) else {
            throw BSONError("is text that isn't valid UTF-8")
        }
        return text
    }

    private mutating func skip(_ type: UInt8) throws(BSONError) {
        switch type {
        case 0x03, 0x04:
            let end = try documentEnd()
            position = end + 1
        case 0x0F:
            let start = position
            let length = Int(try integer(Int32.self))
            position = start
            guard length >= 4 else { throw BSONError("is cut off or has a wrong length") }
            _ = try advance(length)
        case 0x02:
            let length = Int(try integer(Int32.self))
            _ = try advance(length)
        default:
            _ = try value(type, depth: 1)
        }
    }
}
