import Glibc

/// What tells a folder of runs from every other: a random text in it, made by whoever comes first.
///
/// A path alone wouldn't do. Another folder may get it, in a container or after the first was deleted, and whoever finds no
/// trace of a run there would take it for one that never started.
enum FolderMark {
    /// The mark that is there, or is made now.
    static func read(_ path: String) throws(LocalError) -> String {
        if let mark = try standing(path) { return mark }
        let random = { String(UInt64.random(in: .min ... .max), radix: 36) }
        let draft = "\(path).\(getpid()).\(random()).new"
        defer { unlink(draft) }
        try SystemFile.create(draft, Array((random() + random() + "\n").utf8), mode: 0o600)
        // Unlike a rename it fails when somebody was faster.
        guard link(draft, path) == 0 || errno == EEXIST else { throw .system("can't make", path) }
        guard let mark = try standing(path) else { throw .system("can't open", path, ENOENT) }
        return mark
    }

    /// This machine's id, as systemd and D-Bus keep it; `-` where there is none.
    static func machine() throws(LocalError) -> String {
        // It may be a link.
        guard let path = realpath("/etc/machine-id", nil) else {
            if errno == ENOENT { return "-" }
            throw .system("can't find", "/etc/machine-id")
        }
        defer { free(path) }
        guard let text = try line(String(cString: path)), text.utf8.allSatisfy({ isHexadecimal($0) }) else {
            return "-"
        }
        return text
    }

    private static func standing(_ path: String) throws(LocalError) -> String? {
        guard SystemFile.exists(path) else { return nil }
        guard let text = try line(path), text.utf8.count <= 64 else {
            throw LocalError(.damaged, "\(path) is no mark of ours")
        }
        return text
    }

    /// What a file of one line holds; nil when that is nothing.
    private static func line(_ path: String) throws(LocalError) -> String? {
        guard let bytes = try SystemFile.read(path) else { return nil }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
