import Control
import Model
import TestSupport
import Testing

@testable import MongoStore

@Suite struct BSONFuzzTests {
    private static let documents = [
        #"{"_id": {"$oid": "00112233445566778899aabb"}, "id": "bot", "enabled": true, "config": {"a": [1, {"b": "ü"}]},"#
            + #""custom": {"version": "1", "filePath": "k", "config": {"runtime": "python3.11", "entrypoints": {"bot": "m"}}}}"#,
        #"{"b": {"$binary": {"base64": "Zm9v", "subType": "02"}}, "c": {"$code": "f", "$scope": {"x": [1]}}, "u": {"$undefined": true},"#
            + #""d": {"$numberDecimal": "1.5"}, "t": {"$timestamp": {"t": 1, "i": 2}}, "r": {"$regularExpression": {"pattern": "p", "options": "i"}},"#
            + #""p": {"$dbPointer": {"$ref": "a", "$id": {"$oid": "00112233445566778899aabb"}}}, "y": {"$symbol": "s"}, "f": 1.5,"#
            + #""m": {"$minKey": 1}, "x": {"$maxKey": 1}, "l": {"$numberLong": "5"}, "g": {"$date": {"$numberLong": "1"}}, "q": false}"#,
    ]

    @Test(arguments: 0..<2)
    func mutationsOfDocumentsAreReadOrRefused(_ index: Int) throws {
        let original = try bson(Self.documents[index])
        var generator = SeededGenerator(seed: UInt64(index) ^ Fuzzing.seed)
        var refused = 0
        for _ in 0..<(5000 * Fuzzing.rounds) {
            let bytes = mutated(original, using: &generator)
            bytes.withUnsafeBytes { buffer in
                // A reading beyond the buffer would trap: the buffer's own bounds are checked in debug builds.
                do { _ = try BSONReader.document(buffer) } catch { refused += 1 }
                _ = StoredBot(bson: buffer)
                _ = MongoError(reply: buffer)
                _ = Wake(change: buffer)
            }
        }
        // Both ways were taken: lengths and types that break the document, and values that don't.
        #expect(refused > 500 * Fuzzing.rounds)
        #expect(refused < 4900 * Fuzzing.rounds)
    }

    @Test func everyTruncationIsRefused() throws {
        for document in Self.documents {
            let bytes = try bson(document)
            for count in 0..<bytes.count { #expect(throws: BSONError.self) { try read(Array(bytes[..<count])) } }
        }
    }

    private func mutated(_ original: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            default: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
            }
        }
        // The outermost length is right in half of the cases, so that what lies inside is reached.
        if Bool.random(using: &generator), bytes.count >= 5 {
            withUnsafeBytes(of: Int32(bytes.count).littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
        }
        return bytes
    }
}
