/// A hostile name made fit for a log line: nothing that moves a cursor or reorders text, and never long.
///
/// What isn't valid UTF-8 is shown byte by byte as `\xNN`; the middle of a long name is replaced by `…`.
func printable(_ bytes: [UInt8], limit: Int = 160) -> String {
    guard bytes.count > limit else { return escaped(bytes[...]) }
    return escaped(bytes.prefix(limit / 2)) + "…" + escaped(bytes.suffix(limit / 2))
}

private func escaped(_ bytes: ArraySlice<UInt8>) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
        return bytes.map { byte in
            (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\\")
                ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            out += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            if scalar == "\\" || scalar == "\"" { out += "\\" }
            out.unicodeScalars.append(scalar)
        }
    }
    return out
}
