import Model
import Testing

@testable import MongoStore

@Suite struct BSONWriterTests {
    @Test func theCLibraryReadsTheSameBytes() throws {
        let object: JSONObject = [
            "z": 1, "big": 4_294_967_296, "d": 1.5, "n": nil, "t": true, "f": false, "s": "a\0ü",
            "o": ["$x": ["a.b": ["": "empty"]]], "l": [1, [2], ["k": "v"]],
        ]
        let expected = try bson(
            #"{"z": {"$numberInt": "1"}, "big": {"$numberLong": "4294967296"}, "d": {"$numberDouble": "1.5"}, "n": null,"#
                + #""t": true, "f": false, "s": "a\u0000ü", "o": {"$x": {"a.b": {"": "empty"}}},"#
                + #""l": [{"$numberInt": "1"}, [{"$numberInt": "2"}], {"k": "v"}]}"#
        )
        #expect(try BSONWriter.document(object) == expected)
    }

    @Test(arguments: [Int64(Int32.min), Int64(Int32.max), Int64(Int32.min) - 1, Int64(Int32.max) + 1, .min, .max, 0])
    func integersTakeTheSmallestType(_ number: Int64) throws {
        let bytes = try BSONWriter.document(["v": .integer(number)])
        #expect(bytes[4] == (Int32(exactly: number) == nil ? 0x12 : 0x10))
        #expect(try read(bytes) == ["v": .integer(number)])
    }

    @Test func exactNumbersAreDecimalsWhereTheyFit() throws {
        let fitting = JSONValue.number("18446744073709551616")
        #expect(try BSONWriter.document(["v": fitting])[4] == 0x13)
        #expect(try read(try BSONWriter.document(["v": fitting])) == ["v": fitting])
        let digits = String(repeating: "7", count: 35)
        #expect(try read(try BSONWriter.document(["v": .number(digits)])) == ["v": .string(digits)])
    }

    @Test func aKeyWithNULIsRefusedByItsPath() throws {
        let error = #expect(throws: BSONError.self) { try BSONWriter.document(["config": [["a\0b": "secret"]]]) }
        #expect(error?.path == #"config.0."a\0b""#)
    }

    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> JSONObject {
            var value = JSONValue.object(JSONObject())
            for level in 1..<depth - 1 { value = level.isMultiple(of: 2) ? ["a": value] : [value] }
            return ["a": value]
        }
        #expect(throws: Never.self) { try BSONWriter.document(nested(BSONWriter.depthLimit)) }
        #expect(throws: BSONError.self) { try BSONWriter.document(nested(BSONWriter.depthLimit + 1)) }
    }
}
