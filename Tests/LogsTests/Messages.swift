import Foundation

/// What is in the messages of stored lines; what is no message stands as it is.
func messages(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: 0x0A).map { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let start = text.range(of: #""message":""#),
            let end = text.range(of: #"""#, range: start.upperBound..<text.endIndex)
        else { return text }
        return String(text[start.upperBound..<end.lowerBound])
    }
}
