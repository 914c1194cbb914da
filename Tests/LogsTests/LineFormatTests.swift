import Foundation
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

@Suite struct LineFormatTests {
    private func text(_ line: OutputText) -> String {
        var format = LineFormat()
        var bytes: [UInt8] = []
        format.append(line, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func textBecomesAnObjectWithTimeAndStream() {
        #expect(
            text(line("hello \"you\" \\ \t\u{1}é", at: .nanoseconds(1_234_567), stream: .stderr))
                == #"{"timestamp":"2027-01-15T12:00:00.001234567Z","stream":"stderr","message":"hello \"you\" \\ \t\u0001é"}"#
                + "\n"
        )
    }

    @Test(arguments: [
        (#"{"timestamp":"x","a":1}"#, nil), (#"  {"a":{"b":[1,2,{}]}, "timestamp": 7 } "#, nil),
        (#"{"time\u0073tamp":1}"#, nil), (#"{"a":1}"#, #"{"timestamp":"2027-01-15T12:00:00.000000000Z","a":1}"#),
        ("{}", #"{"timestamp":"2027-01-15T12:00:00.000000000Z"}"#),
        ("{ }", #"{"timestamp":"2027-01-15T12:00:00.000000000Z" }"#),
        (#"{"a":{"timestamp":1}}"#, #"{"timestamp":"2027-01-15T12:00:00.000000000Z","a":{"timestamp":1}}"#),
        ("{\"a\":1}\r", "{\"timestamp\":\"2027-01-15T12:00:00.000000000Z\",\"a\":1}\r"),
        (
            #"{"_metric":"price","value":-1.5e+3}"#,
            #"{"timestamp":"2027-01-15T12:00:00.000000000Z","_metric":"price","value":-1.5e+3}"#
        ),
    ])
    func anObjectIsKeptByteForByte(_ given: String, _ expected: String?) {
        #expect(text(line(given)) == (expected ?? given) + "\n")
    }

    @Test(arguments: [
        "[1]", "1", "\"x\"", "null", "{", "{\"a\":1", "{\"a\":1}}", "{\"a\":1} x", "{a:1}", "{\"a\":01}", "{\"a\":1,}",
        "{\"a\":.5}", "{\"a\":1.}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":nul}",
        "{'a':1}",
        "", "{\"a\" 1}", "{\"a\":-}", "{\"a\":1e}", "{\"a\":[1 2]}", "{\"a\":[}", "{,}", "{\"a\":+1}",
        "{\"a\":" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}",
    ])
    func anythingElseIsText(_ given: String) throws {
        let object = try JSONSerialization.jsonObject(with: Data(text(line(given)).utf8)) as? [String: String]
        #expect(object?["message"] == given)
        #expect(object?["stream"] == "stdout")
    }

    @Test func whatIsNoUTF8IsReplaced() throws {
        let bytes: [UInt8] = [0x61, 0xFF, 0xC3, 0xED, 0xA0, 0x80, 0xF0, 0x9F, 0x98, 0x80, 0x00]
        let line = OutputText(stream: .stdout, time: noon, bytes: bytes)
        let object = try JSONSerialization.jsonObject(with: Data(text(line).utf8)) as? [String: String]
        #expect(object?["message"] == "a\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}😀\0")
        // An object whose text is no UTF-8 is none.
        let bad = OutputText(stream: .stdout, time: noon, bytes: Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8))
        #expect(text(bad).hasPrefix(#"{"timestamp":"2027-01-15T12:00:00.000000000Z","stream""#))
    }

    @Test func aCutLineSaysSo() throws {
        let object = try JSONSerialization.jsonObject(with: Data(text(line("{\"a\":1}", cut: 9_000_000)).utf8))
        let fields = try #require(object as? [String: Any])
        #expect(fields["message"] as? String == "{\"a\":1}… [9000000 bytes cut]")
        #expect(fields["cut"] as? Int == 9_000_000)
    }

    /// Every line that comes out is one line and one JSON object, whatever went in; and what JSON takes for an object is kept.
    @Test(arguments: 0..<20) func whateverComesInOneObjectComesOut(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let seeds: [[UInt8]] = [
            Array(#"{"timestamp":"2027","a":[1,2.5e3,null,true,{"b":"\u00e9\n"}],"c":{}}"#.utf8), Array("{}".utf8),
            Array("plain text é 日本".utf8), Array(#"{"a":{"b":{"c":[[[]]]}}}"#.utf8), (0..<64).map { UInt8($0 * 4) },
        ]
        for _ in 0..<300 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
            for _ in 0..<Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(Array("{}[]\",:\\u0".utf8)[Int.random(in: 0..<10, using: &random)], at: index)
                }
            }
            bytes.removeAll { $0 == 0x0A }
            let result = text(OutputText(stream: .stdout, time: noon, bytes: bytes))
            #expect(result.utf8.filter { $0 == 0x0A }.count == 1 && result.utf8.last == 0x0A)
            let object = try JSONSerialization.jsonObject(with: Data(result.utf8)) as? [String: Any]
            #expect(object?["timestamp"] != nil, "\(bytes)")
            // The other way round: our parser takes it for an object, so the line is kept.
            if let value = try? JSONValue.parse(bytes), value.object != nil, bytes.count < 200 {
                #expect(
                    object?["stream"] == nil || value.object?["stream"] != nil,
                    "\(String(decoding: bytes, as: UTF8.self))"
                )
            }
        }
    }

    @Test func credentialsOfTheConfigAreMasked() throws {
        let config = try #require(
            try JSONValue.parse(
                #"{"api_key":"sk-12\"345/6","symbol":"BTCUSDT","exchange":{"auth":{"pass":"hunter22"}},"key":"no","pin":1234567}"#
            ).object
        )
        let masking = LogMasking(config: config)
        let masked = masking.masked(line(#"BTCUSDT sk-12"345/6 "sk-12\"345/6" hunter22hunter22 1234567 no"#))
        #expect(String(decoding: masked.bytes, as: UTF8.self) == #"BTCUSDT *** "***" ****** *** no"#)
        #expect(LogMasking(config: JSONObject()).masked(line("sk")) == line("sk"))
    }
}
