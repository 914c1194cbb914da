import Model
import TestSupport
import Testing

@Suite struct JSONTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), (" [1, 2.5 ,\"x\"] ", JSONValue.array([1, 2.5, "x"])),
            ("{\"b\":1,\"a\":{}}", ["b": 1, "a": [:]]),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number("9223372036854775808")), ("1.0", .double(1)), ("1e2", .double(100)),
            ("-0", .double(-0.0)), ("0.1", .double(0.1)), ("1e400", .number("1e400")),
            ("1.0000000000000000000000000000000001", .number("1.0000000000000000000000000000000001")),
            ("\"\\u00e9\\n\\ud83d\\ude00\\/\"", "é\n😀/"), ("\"\\ud800\"", "\u{FFFD}"), ("\"\\ud800x\"", "\u{FFFD}x"),
            ("\"\u{7f}\"", "\u{7f}"),
        ] as [(String, JSONValue)]
    )
    func textIsReadAsItsValue(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(text) == value)
    }

    @Test(arguments: [
        ("", 0), ("  ", 2), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("01", 2), ("1.", 2), ("-", 1),
        ("1e", 2),
        ("nul", 0), ("\"x", 2), ("\"\\x\"", 3), ("\"\\u12g4\"", 5), ("\"\n\"", 1), ("1 2", 2), ("[1}", 2),
        ("{\"a\":1,}", 7),
        ("\u{FEFF}1", 0), ("NaN", 0), ("+1", 0), (".5", 0), ("'a'", 0),
    ])
    func textThatIsNoJSONIsAnErrorAtItsByte(text: String, offset: Int) {
        #expect { _ = try JSONValue.parse(text) } throws: { ($0 as? JSONSyntaxError)?.offset == offset }
    }

    @Test func invalidUTF8IsAnError() {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse([0x22, 0x5C, 0x6E, 0xC3, 0x22]) }
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect { _ = try JSONValue.parse(deep) } throws: { ($0 as? JSONSyntaxError)?.message.contains("200") ?? false }
        let allowed = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(try JSONValue.parse(allowed).text == allowed)
    }

    @Test func keysKeepTheirOrderAndTheLastOfTwoCounts() throws {
        let value = try JSONValue.parse(#"{"z":1,"a":2,"m":3,"z":4}"#)
        #expect(value.text == #"{"z":4,"a":2,"m":3}"#)
        #expect(value.canonicalText == #"{"a":2,"m":3,"z":4}"#)
    }

    @Test func keysThatOnlyLookTheSameStayApart() throws {
        let value = try JSONValue.parse("{\"\u{e9}\":1,\"e\u{301}\":2}")
        #expect(value.object?.count == 2)
        #expect(value.object?["\u{e9}"] == 1)
        #expect(value.object?["e\u{301}"] == 2)
    }

    @Test func orderIsNotMeaning() throws {
        #expect(try JSONValue.parse(#"{"a":1,"b":2}"#) == JSONValue.parse(#"{"b":2,"a":1}"#))
    }

    @Test func aRemovedKeyLeavesNoTrace() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = nil
        object["nothing"] = nil
        #expect(object.keys == ["b"])
        object["a"] = 3
        #expect(JSONValue.object(object).text == #"{"b":2,"a":3}"#)
    }

    @Test func everythingWrittenIsReadBackTheSame() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let value = JSONValue.random(depth: 4, using: &generator)
            #expect(try JSONValue.parse(value.text) == value)
            #expect(try JSONValue.parse(value.canonicalText) == value)
        }
    }

    @Test func noBytesCrashTheParser() {
        var generator = SeededGenerator(seed: 11)
        let alphabet = Array(#"{}[]":,\u0123456789-+.eEtrufalsn "#.utf8) + [0xC3, 0xA9, 0xFF, 0x00, 0x0A]
        var valid = 0
        for _ in 0..<20_000 {
            let length = Int.random(in: 0..<24, using: &generator)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            if (try? JSONValue.parse(bytes)) != nil { valid += 1 }
        }
        #expect(valid > 0)
    }
}

extension JSONValue {
    static func random(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int64(bitPattern: generator.next()))
        case 3: return .double(Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 1024 + 0.5)
        case 4: return .string(text(using: &generator))
        case 5: return .number("1234567890123456789012345678901234\(generator.next() % 1000)")
        case 6: return .array((0..<Int(generator.next() % 4)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            var object = JSONObject()
            for _ in 0..<(generator.next() % 4) {
                object[text(using: &generator)] = random(depth: depth - 1, using: &generator)
            }
            return .object(object)
        }
    }

    private static func text(using generator: inout SeededGenerator) -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "\"", "\\", "\n", "\u{0}", "\u{1f}", "é", "e", "\u{301}", "😀", "/", "\u{2028}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<(generator.next() % 6) { text.append(scalars.randomElement(using: &generator) ?? "a") }
        return String(text)
    }
}
