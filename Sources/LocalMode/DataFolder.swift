import Crypto
import Glibc
import Model

/// Where an instance keeps its runs, and the names in it.
///
/// An id is data and may be any text, so a name carries a readable piece of it and a hash of it all. A run's folder has a name
/// that follows from kind and id (and slot): the file system gives it once, which keeps a bot from running twice.
struct DataFolder: Sendable, Hashable {
    let path: String

    /// - Parameters:
    ///   - directory: what all instances share.
    ///   - instance: tells runners on one machine apart.
    init(directory: String, instance: String) {
        path = "\(directory)/\(DataFolder.name([instance], readable: instance))"
    }

    /// The folders of runs.
    var runs: String { "\(path)/runs" }
    /// Folders that become those of runs.
    var staging: String { "\(path)/staging" }
    /// What bots keep between runs.
    var states: String { "\(path)/state" }
    /// What tells this folder from every other.
    var mark: String { "\(path)/mark" }
    /// One lock for each name.
    var locks: String { "\(path)/locks" }

    /// The name of a program's run.
    static func name(of executable: Executable) -> String {
        name(of: executable.kind, id: executable.id, slot: executable.slot)
    }

    /// The name of a bot's run; of a scheduled one also by its slot.
    static func name(of kind: ExecutableKind, id: BotID, slot: Slot? = nil) -> String {
        "\(prefix(kind))-" + name([kind.rawValue, id.text, slot?.description ?? ""], readable: id.text)
    }

    /// The folder's name in a run's reference; nil when it can't be one of ours.
    static func name(ofReference reference: String) -> String? {
        guard let dot = reference.lastIndex(of: "."), dot > reference.startIndex else { return nil }
        let name = reference[..<dot]
        let allowed = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        return allowed ? String(name) : nil
    }

    /// The name of what a bot keeps, whatever is run for it.
    static func stateName(kind: ExecutableKind, id: BotID) -> String {
        "\(prefix(kind))-" + name(["state", kind.rawValue, id.text], readable: id.text)
    }

    /// What the names of all runs of a kind begin with.
    static func prefix(_ kind: ExecutableKind) -> String { kind == .live ? "bot" : "run" }

    /// The folder of a run.
    func run(_ name: String) -> RunFolder { RunFolder(path: "\(runs)/\(name)") }

    /// At most 24 characters to recognise it by, and 128 bits of a hash over the parts, none of which holds a NUL.
    private static func name(_ parts: [String], readable: String) -> String {
        let digest = SHA256.hash(data: Array(parts.joined(separator: "\0").utf8)).prefix(16).hexText
        let piece = readable.readableInName
        return piece.isEmpty ? digest : "\(piece)-\(digest)"
    }
}

/// What lies in the folder of a run.
struct RunFolder: Sendable, Hashable {
    let path: String

    /// Its last component.
    var name: String { String(path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...]) }
    /// Whose it is and from what; there from the folder's first moment on.
    var record: String { "\(path)/record" }
    /// What to start, for the supervisor, which removes it.
    var launch: String { "\(path)/launch" }
    /// Held by the supervisor as long as it lives.
    var lock: String { "\(path)/lock" }
    /// There from just before the bot is started: whatever becomes of its supervisor, it may have run.
    var begun: String { "\(path)/begun" }
    /// Which processes there are.
    var status: String { "\(path)/status" }
    /// How it ended.
    var exit: String { "\(path)/exit" }
    /// How long it may take to stop.
    var stop: String { "\(path)/stop" }
    /// The bot's `/bot`.
    var code: String { "\(path)/bot" }
    /// The bot's `/tmp` and home.
    var temporary: String { "\(path)/tmp" }
    /// The start scripts.
    var scripts: String { "\(path)/the0" }

    /// One of the files of its output.
    func output(_ generation: Int) -> String { "\(path)/\(RunFolder.outputPrefix)\(generation)" }

    static let outputPrefix = "output."

    /// The numbers of the output files there are, ascending.
    func generations() throws(LocalError) -> [Int] {
        (try SystemFile.names(in: path) ?? []).compactMap { name in
            name.hasPrefix(RunFolder.outputPrefix) ? Int(name.dropFirst(RunFolder.outputPrefix.count)) : nil
        }.sorted()
    }
}

extension String {
    fileprivate var readableInName: String {
        var result = ""
        for byte in utf8 {
            guard result.utf8.count < 24 else { break }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
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
