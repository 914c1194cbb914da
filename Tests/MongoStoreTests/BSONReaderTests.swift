import Control
import Model
import Testing

@testable import MongoStore

@Suite struct BSONReaderTests {
    /// Extended JSON, and the JSON that it becomes.
    static let forms: [(String, String)] = [
        (#"{"$numberDouble": "1.0"}"#, #"1"#),
        (#"{"$numberDouble": "-60"}"#, #"-60"#),
        (#"{"$numberDouble": "1.5"}"#, #"1.5"#),
        (#"{"$numberDouble": "9007199254740992"}"#, #"9007199254740992"#),
        (#"{"$numberDouble": "NaN"}"#, #""NaN""#),
        (#"{"$numberDouble": "Infinity"}"#, #""Infinity""#),
        (#"{"$numberDouble": "-Infinity"}"#, #""-Infinity""#),
        (#""a\u0000ü\"\n""#, #""a\u0000ü\"\n""#),
        (#""""#, #""""#),
        (#"{"b": 1, "a": [true, null, {}]}"#, #"{"b":1,"a":[true,null,{}]}"#),
        (#"{"$binary": {"base64": "", "subType": "00"}}"#, #""""#),
        (#"{"$binary": {"base64": "Zg==", "subType": "00"}}"#, #""Zg==""#),
        (#"{"$binary": {"base64": "Zm8=", "subType": "80"}}"#, #""Zm8=""#),
        (#"{"$binary": {"base64": "Zm9v+/8A", "subType": "02"}}"#, #""Zm9v+/8A""#),
        (#"{"$undefined": true}"#, #"null"#),
        (#"{"$oid": "00112233445566778899aaff"}"#, #""00112233445566778899aaff""#),
        (#"{"$date": {"$numberLong": "1764000000123"}}"#, #""2025-11-24T16:00:00.123Z""#),
        (#"{"$date": {"$numberLong": "-1"}}"#, #""1969-12-31T23:59:59.999Z""#),
        (#"{"$date": {"$numberLong": "9223372036854775807"}}"#, #"9223372036854775807"#),
        (#"{"$date": {"$numberLong": "-62167219200001"}}"#, #"-62167219200001"#),
        (
            #"{"$regularExpression": {"pattern": "^a/b", "options": "im"}}"#,
            #"{"$regularExpression":{"pattern":"^a/b","options":"im"}}"#
        ),
        (
            #"{"$dbPointer": {"$ref": "a.b", "$id": {"$oid": "00112233445566778899aaff"}}}"#,
            #"{"$dbPointer":{"$ref":"a.b","$id":"00112233445566778899aaff"}}"#
        ),
        (#"{"$code": "f()"}"#, #""f()""#),
        (#"{"$symbol": "s"}"#, #""s""#),
        (#"{"$code": "f()", "$scope": {"x": 1}}"#, #"{"$code":"f()","$scope":{"x":1}}"#),
        (#"{"$numberInt": "-2147483648"}"#, #"-2147483648"#),
        (#"{"$timestamp": {"t": 4294967295, "i": 7}}"#, #"{"$timestamp":{"t":4294967295,"i":7}}"#),
        (#"{"$numberLong": "9223372036854775807"}"#, #"9223372036854775807"#),
        (#"{"$numberLong": "1"}"#, #"1"#),
        (#"{"$numberDecimal": "0.10"}"#, #"0.10"#),
        (#"{"$numberDecimal": "9999999999999999999999999999999999"}"#, #"9999999999999999999999999999999999"#),
        (#"{"$numberDecimal": "-1E-6176"}"#, #"-1E-6176"#),
        (#"{"$numberDecimal": "NaN"}"#, #""NaN""#),
        (#"{"$numberDecimal": "-Infinity"}"#, #""-Infinity""#),
        (#"{"$minKey": 1}"#, #"{"$minKey":1}"#),
        (#"{"$maxKey": 1}"#, #"{"$maxKey":1}"#),
    ]

    @Test(arguments: forms)
    func everyTypeHasItsForm(_ document: String, _ expected: String) throws {
        #expect(try read(try bson(#"{"v": \#(document)}"#))["v"]?.text == expected)
    }

    @Test func exactNumbersAreJSONNumbers() throws {
        for text in ["0.10", "1E+3", "-0", "0E-6176", "1.5E-10", "12345678901234567890123456789.12345"] {
            let value = try #require(try read(try bson(#"{"v": {"$numberDecimal": "\#(text)"}}"#))["v"])
            #expect(value == .number(text))
            #expect(throws: Never.self) { try JSONValue.parse(value.text) }
        }
    }

    @Test func aWholeDoubleIsTheWholeNumberThatThePlatformMeant() throws {
        // The platform's Go services store every number of a config as a double, and hand 60.0 on as 60.
        let document = try read(try bson(#"{"i": 1, "d": {"$numberDouble": "1"}, "f": {"$numberDouble": "1.25"}}"#))
        #expect(JSONValue.object(document) == ["i": 1, "d": .integer(1), "f": .double(1.25)])
    }

    @Test func keysKeepTheirOrderAndTheLastOfTwoCounts() throws {
        let document = try read(try bson(#"{"z": 1, "a": 2, "z": 3, "": 4, "a.b": 5, "$x": 6}"#))
        #expect(JSONValue.object(document).text == #"{"z":3,"a":2,"":4,"a.b":5,"$x":6}"#)
    }

    @Test func onlyWantedMembersAreReadButAllArePassedOver() throws {
        let bytes = try bson(
            #"{"a": {"x": [1, {"y": 2}]}, "b": "text", "c": {"$code": "f", "$scope": {}}, "d": 1.5, "e": [1], "id": "i"}"#
        )
        let document = try bytes.withUnsafeBytes { try BSONReader.document($0) { $0 == "id" } }
        #expect(document == ["id": "i"])
    }

    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> [UInt8] {
            var bytes: [UInt8] = [5, 0, 0, 0, 0]
            for _ in 1..<depth {
                let length = Int32(bytes.count + 8)
                bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + [0x03, 0x61, 0] + bytes + [0]
            }
            return bytes
        }
        #expect(throws: Never.self) { try read(nested(BSONReader.depthLimit)) }
        #expect(throws: BSONError.self) { try read(nested(BSONReader.depthLimit + 1)) }
        #expect(throws: BSONError.self) { try read(nested(5000)) }
    }

    @Test func anErrorNamesThePlaceAndNotTheValue() throws {
        var bytes = try bson(#"{"config": {"list": [1, {"key\n": "sécret"}]}}"#)
        let broken = try #require(bytes.firstIndex(of: 0xC3))
        bytes[broken] = 0xFF
        let error = #expect(throws: BSONError.self) { try read(bytes) }
        #expect(error?.path == #"config.list.1."key\n""#)
        #expect(error?.problem == "is text that isn't valid UTF-8")
    }

    @Test func f65ADocumentThatIsNotUTF8IsBrokenUnderItsOwnID() throws {
        var bytes = try bson(#"{"_id": {"$oid": "00112233445566778899aaff"}, "id": "one", "config": {"a": "é"}}"#)
        bytes[try #require(bytes.firstIndex(of: 0xC3))] = 0xFF
        let entry = bytes.withUnsafeBytes { StoredBot(bson: $0) }
        #expect(
            entry
                == .broken(
                    "one",
                    DocumentError(id: "one", field: "config.a", problem: "is text that isn't valid UTF-8")
                )
        )
    }

    @Test func f65ADocumentWhoseIDIsNotUTF8IsNamedByItsObjectID() throws {
        var bytes = try bson(#"{"_id": {"$oid": "00112233445566778899aabb"}, "id": "é"}"#)
        bytes[try #require(bytes.firstIndex(of: 0xC3))] = 0xFF
        let entry = bytes.withUnsafeBytes { StoredBot(bson: $0) }
        guard case .broken(nil, let error) = entry else {
            Issue.record("not broken: \(entry)")
            return
        }
        #expect(error.id == "00112233445566778899aabb")
        #expect(error.field == "id")
    }

    @Test(
        arguments: [
            [], [4, 0, 0, 0], [5, 0, 0, 0, 1], [6, 0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0], [5, 0, 0, 0, 0, 0],
            [7, 0, 0, 0, 0x0A, 0x61, 0], [8, 0, 0, 0, 0x99, 0x61, 0, 0], [6, 0, 0, 0, 0, 0],
            [9, 0, 0, 0, 0x08, 0x61, 0, 2, 0], [13, 0, 0, 0, 0x02, 0x61, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0],
            [13, 0, 0, 0, 0x02, 0x61, 0, 0, 0, 0, 0, 0, 0], [13, 0, 0, 0, 0x03, 0x61, 0, 6, 0, 0, 0, 0, 0],
            [13, 0, 0, 0, 0x05, 0x61, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        ] as [[UInt8]]
    )
    func whatIsNoBSONIsAnError(_ bytes: [UInt8]) {
        #expect(throws: BSONError.self) { try read(bytes) }
    }
}
