import Crypto
import Glibc
import Model
import Util

/// A folder with a bot's code, as a developer has it on disk: what of it is code, and what that code is.
///
/// Left out are `.git`, `__pycache__`, `.DS_Store`, the instances' `bots.yaml` at the top (it holds their configurations, which
/// are no code and not for other instances' eyes), and what a `.the0ignore` at the top says (see ``ignoreFile``).
/// All calls block while they read the disk; call them off the cooperative pool.
public struct CodeFolder: Sendable, Hashable {
    /// The file with further rules, written as a `.gitignore` is: `#`, `*`, `?`, `[…]`, `**`, `/` at the beginning or end, `!`.
    public static let ignoreFile = ".the0ignore"

    /// The rules before those of the ignore file, in its form.
    public static let standardRules = ".git\n__pycache__/\n.DS_Store\n/bots.yaml\n"

    /// The most files, folders and links that a folder may have.
    public static let maximumEntries = 20_000
    /// The most bytes that all files may have together.
    public static let maximumBytes: Int64 = 1 << 30
    /// The most folders within one another.
    public static let maximumDepth = 64
    /// The most bytes that an ignore file may have.
    public static let maximumIgnoreFileBytes: Int64 = 64 << 10

    /// Where it lies; may be a symbolic link to a folder.
    public let path: String

    /// The folder at a path; nothing is read yet.
    public init(path: String) {
        self.path = path
    }

    /// The paths of all regular files that are code, relative and in a fixed order.
    /// - Throws: ``RunnerError`` as ``entries()`` does.
    public func files() throws(RunnerError) -> [String] {
        try entries().filter { $0.kind == .file }.map(\.path)
    }

    /// Everything that is code: files, folders and symbolic links, a folder before what is in it, in a fixed order.
    /// - Throws: ``RunnerError``, `codeUnavailable` when the folder can't be read (now), `codeInvalid` when there is something
    ///   in it that can't be code, such as a socket, or too much.
    public func entries() throws(RunnerError) -> [CodeFolderEntry] {
        var walk = FolderWalk(root: path, rules: IgnoreRules(Self.standardRules + (try ignoreText())))
        try walk.add(folder: "", depth: 0)
        return walk.entries
    }

    /// A SHA-256, in hexadecimal, over the code: relative paths, contents, permission bits (for the owner, group and others to
    /// write and execute), targets of links. The same wherever the folder lies and whenever it was written.
    /// - Throws: ``RunnerError`` as ``entries()`` does; also `codeUnavailable` when a file changes while it is read.
    public func digest() throws(RunnerError) -> String {
        var hash = LabelledHash()
        for entry in try entries() {
            hash.add(entry.kind.rawValue)
            hash.add(entry.path)
            switch entry.kind {
            case .folder: break
            case .link: hash.add(entry.linkTarget)
            case .file:
                // What the packed code has; reading is always allowed there.
                hash.add(String(entry.mode | 0o444, radix: 8))
                hash.add(try contentDigest(of: entry))
            }
        }
        return hash.hexadecimal
    }

    /// A hash that is almost sure to change when the code does, made without reading the files: from their paths, sizes, times,
    /// inodes and modes. Means nothing on another machine.
    /// - Throws: ``RunnerError`` as ``entries()`` does.
    public func fingerprint() throws(RunnerError) -> String {
        var hash = LabelledHash()
        for entry in try entries() {
            hash.add(entry.kind.rawValue)
            hash.add(entry.path)
            hash.add(entry.linkTarget)
            // A folder's own times change with what is left out of it, too.
            guard entry.kind != .folder else { continue }
            let numbers = [
                entry.size, entry.modified, entry.changed, Int64(bitPattern: entry.inode), Int64(entry.mode),
            ]
            hash.add(numbers.map(String.init).joined(separator: ","))
        }
        return hash.hexadecimal
    }

    private func ignoreText() throws(RunnerError) -> String {
        let place = path + "/" + Self.ignoreFile
        guard let file = try CodeFile(opening: place, followingLinks: true) else { return "" }
        let size = file.entrySize
        guard size <= Self.maximumIgnoreFileBytes else {
            throw RunnerError(
                .codeInvalid,
                "\(place.escapedForMessage) has \(size) bytes; up to \(Self.maximumIgnoreFileBytes) are allowed"
            )
        }
        var bytes: [UInt8] = []
        try file.read { bytes.append(contentsOf: $0) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RunnerError(.codeInvalid, "\(place.escapedForMessage) is not UTF-8 text")
        }
        return text
    }

    private func contentDigest(of entry: CodeFolderEntry) throws(RunnerError) -> String {
        let place = path + "/" + entry.path
        let changed = RunnerError(.codeUnavailable, "\(place.escapedForMessage) changed while it was read")
        guard let file = try CodeFile(opening: place, followingLinks: false), file.isUnchanged(entry) else {
            throw changed
        }
        var hash = SHA256()
        try file.read { hash.update(bufferPointer: $0) }
        guard try file.isUnchangedNow(entry) else { throw changed }
        return hash.finalize().hexText
    }
}

/// A file, folder or symbolic link of a code folder.
public struct CodeFolderEntry: Sendable, Hashable {
    /// What it is.
    public enum Kind: String, Sendable { case file, folder, link }

    /// The path relative to the code folder, without a slash at either end.
    public let path: String
    /// What it is.
    public let kind: Kind
    /// The permission bits.
    public let mode: UInt16
    /// The size in bytes.
    public let size: Int64
    /// Where a link points, as it is written there; else empty.
    public let linkTarget: String
    /// When the content was last changed, in nanoseconds since 1970.
    let modified: Int64
    /// When content or attributes were last changed, in nanoseconds since 1970; unlike `modified` it can't be set back.
    let changed: Int64
    let inode: UInt64

    init(path: String, kind: Kind, status: stat, linkTarget: String = "") {
        self.path = path
        self.kind = kind
        self.linkTarget = linkTarget
        mode = UInt16(status.st_mode & 0o777)
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
        inode = UInt64(status.st_ino)
    }
}

/// SHA-256 over texts, each preceded by its length, so that no two lists of texts are the same bytes.
private struct LabelledHash {
    private var hash = SHA256()

    mutating func add(_ text: String) {
        let bytes = Array(text.utf8)
        hash.update(data: Array("\(bytes.count):".utf8))
        hash.update(data: bytes)
    }

    var hexadecimal: String { hash.finalize().hexText }
}
