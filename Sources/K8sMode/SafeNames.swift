import Crypto
public import Model

/// Names and labels of an id, which may be any text.
///
/// The same id has the same name in every process, and two ids never the same: where an id can't stand as it is, a hash over
/// all its bytes follows a readable piece of it. What looks like such a name gets a hash too, so that no id can pretend to be
/// another. The true id belongs in an annotation, which holds any text.
public struct SafeName: Sendable, Hashable {
    /// What an id is named as.
    public let text: String

    /// The hash's length in hexadecimal digits: 80 bits are more than anybody finds a collision for.
    private static let digits = 20

    /// A name for an object: a DNS-1123 label of lower-case letters, digits and `-`, with a prefix.
    /// - Parameters:
    ///   - id: any text.
    ///   - prefix: what comes first, as `the0-bot`; a DNS-1123 label itself, of at most 24 characters.
    ///   - limit: the longest name: 63 for Pods (host name) and what becomes a label, 52 for CronJobs, whose Jobs get eleven
    ///     characters more.
    public static func objectName(_ id: BotID, prefix: String, limit: Int = 63) -> SafeName {
        SafeName(text: join(prefix, id.text, limit: limit, isAllowed: \.isDNSLabel))
    }

    /// A value for a label: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
    public static func labelValue(_ id: BotID) -> SafeName {
        let isLabel: (UInt8) -> Bool = {
            $0.isDNSLabel || $0.isUpperCase || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
        return SafeName(text: join("", id.text, limit: 63, isAllowed: isLabel))
    }

    private static func join(_ prefix: String, _ id: String, limit: Int, isAllowed: (UInt8) -> Bool) -> String {
        let start = prefix.isEmpty ? "" : prefix + "-"
        let bytes = Array(id.utf8)
        let isWhole =
            !bytes.isEmpty && start.utf8.count + bytes.count <= limit && bytes.allSatisfy(isAllowed)
            && (bytes.first?.isLetterOrDigit ?? false) && (bytes.last?.isLetterOrDigit ?? false) && !looksHashed(bytes)
        if isWhole { return start + id }
        let room = limit - start.utf8.count - digits - 2
        let piece = readable(bytes, room: max(room, 0), isAllowed: isAllowed)
        return start + (piece.isEmpty ? "" : piece + "-") + "x" + hash(id)
    }

    /// Whether an id ends as the names here do: `-x` and the hash's digits, or only these.
    private static func looksHashed(_ id: [UInt8]) -> Bool {
        guard id.count > digits else { return false }
        let end = id.suffix(digits + 1)
        guard end.first == UInt8(ascii: "x"), end.dropFirst().allSatisfy(\.isHexDigit) else { return false }
        return id.count == digits + 1 || id[id.count - digits - 2] == UInt8(ascii: "-")
    }

    private static func readable(_ id: [UInt8], room: Int, isAllowed: (UInt8) -> Bool) -> String {
        var result: [UInt8] = []
        for byte in id where result.count < room {
            let lower = byte.isUpperCase && !isAllowed(byte) ? byte | 0x20 : byte
            if isAllowed(lower), lower.isLetterOrDigit {
                result.append(lower)
            } else if let last = result.last, last != UInt8(ascii: "-") {
                result.append(UInt8(ascii: "-"))
            }
        }
        while result.last == UInt8(ascii: "-") { result.removeLast() }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hash(_ id: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = SHA256.hash(data: Array(id.utf8)).prefix(Self.digits / 2)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isUpperCase: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isHexDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self) }
    fileprivate var isLetterOrDigit: Bool {
        isDigit || isUpperCase || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
    }
    fileprivate var isDNSLabel: Bool { (isLetterOrDigit && !isUpperCase) || self == UInt8(ascii: "-") }
}
