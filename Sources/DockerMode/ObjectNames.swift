import Crypto
import Model

/// The names of what a runner makes in the engine.
///
/// They are deterministic: the engine refuses a second object of a name, which keeps a bot from running twice whatever the
/// runners know of each other. An id is data and may be any text, so a name carries a readable piece of it and a hash of it all.
struct ObjectNames: Sendable {
    let instance: String

    /// The container of a program.
    func container(_ executable: Executable) -> String {
        let kind = executable.kind == .live ? "bot" : "run"
        let slot = executable.slot?.description ?? ""
        return name("the0-\(kind)", id: executable.id, hashing: [executable.kind.rawValue, executable.id.text, slot])
    }

    /// The volume in which a bot keeps its state, whatever is run for it.
    func state(kind: ExecutableKind, id: BotID) -> String {
        let prefix = kind == .live ? "the0-bot-state" : "the0-run-state"
        return name(prefix, id: id, hashing: ["state", kind.rawValue, id.text])
    }

    /// The network of the instance.
    var network: String {
        let readable = instance.readableInName
        guard readable != instance else { return "the0-\(instance)" }
        return ["the0", readable, digest(["network"])].filter { !$0.isEmpty }.joined(separator: "-")
    }

    /// The volume that marks an engine without an id.
    var mark: String {
        ["the0-platform", instance.readableInName, digest(["platform"])].filter { !$0.isEmpty }.joined(separator: "-")
    }

    private func name(_ prefix: String, id: BotID, hashing parts: [String]) -> String {
        [prefix, id.text.readableInName, digest(parts)].filter { !$0.isEmpty }.joined(separator: "-")
    }

    /// The first 64 bits of a hash over the instance and the parts, none of which holds a NUL.
    private func digest(_ parts: [String]) -> String {
        let text = ([instance] + parts).joined(separator: "\0")
        return SHA256.hash(data: Array(text.utf8)).prefix(8).hexText
    }
}

extension String {
    /// At most 32 characters of the text that may stand in the middle of a name: letters, digits, `_`, `.` and `-`.
    fileprivate var readableInName: String {
        var result = ""
        for byte in utf8 {
            guard result.utf8.count < 32 else { break }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                if !result.isEmpty, !result.hasSuffix("-") { result += "-" }
            }
        }
        return result.hasSuffix("-") ? String(result.dropLast()) : result
    }
}

extension Sequence<UInt8> {
    /// The bytes as lower-case hexadecimal digits.
    var hexText: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
