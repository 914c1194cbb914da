import Model
import Testing

/// What is written is part of every bot's hash: one byte more or less would restart all bots.
@Suite struct JSONWriterTests {
    /// Scalar by scalar, as plainly as it can be said.
    private func expected(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            default:
                let isControl = scalar.value < 0x20 || scalar.value == 0x7F
                let hex = String(scalar.value, radix: 16)
                output += isControl ? "\\u" + String(repeating: "0", count: 4 - hex.count) + hex : String(scalar)
            }
        }
        return output + "\""
    }

    private func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    @Test func everyScalarIsWrittenAsItIsOrEscaped() {
        let rare: [Unicode.Scalar] = ["\u{FEFF}", "\u{FFFD}", "\u{1F600}", "\u{10FFFF}"]
        let scalars = (UInt32(0)...0x3FFF).compactMap { Unicode.Scalar($0) } + rare
        let wrong = scalars.filter { scalar in
            ["\(scalar)", "a\(scalar)", "\(scalar)b", "a\(scalar)\(scalar)é"].contains { text in
                !same(JSONValue.string(text).text, expected(text))
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func whatIsWrittenStaysAsItWas() {
        let value: JSONValue = [
            "z": [nil, true, false, 0, -1, .integer(.min), .integer(.max), []],
            "a": [0.1, -0.0, 1e21, 1e-7, .double(.infinity), .double(.nan), .number("18446744073709551616")],
            "": [:], "B": "\u{0}\u{1F}\u{7F}\u{80}/\u{2028}", "e\u{301}": 2, "\u{e9}": 1, "b\"": "\\\n\r\t\u{8}\u{c}",
        ]
        let written =
            #"{"z":[null,true,false,0,-1,-9223372036854775808,9223372036854775807,[]],"#
            + #""a":[0.1,-0.0,1e+21,1e-07,null,null,18446744073709551616],"":{},"#
            + "\"B\":\"\\u0000\\u001f\\u007f\u{80}/\u{2028}\",\"e\u{301}\":2,\"\u{e9}\":1,"
            + #""b\"":"\\\n\r\t\u0008\u000c"}"#
        #expect(same(value.text, written))
        let canonical =
            "{\"\":{},\"B\":\"\\u0000\\u001f\\u007f\u{80}/\u{2028}\","
            + #""a":[0.1,-0.0,1e+21,1e-07,null,null,18446744073709551616],"#
            + #""b\"":"\\\n\r\t\u0008\u000c","#
            + #""z":[null,true,false,0,-1,-9223372036854775808,9223372036854775807,[]],"#
            + "\"e\u{301}\":2,\"\u{e9}\":1}"
        #expect(same(value.canonicalText, canonical))
    }
}
