import Glibc
import Model

/// Collects what a code folder has in it.
struct FolderWalk {
    private(set) var entries: [CodeFolderEntry] = []
    private let root: String
    private let rules: IgnoreRules
    private var bytes: Int64 = 0

    init(root: String, rules: IgnoreRules) {
        self.root = root
        self.rules = rules
    }

    /// Adds what is in a folder, given by its relative path; the root is the empty path.
    mutating func add(folder: String, depth: Int) throws(RunnerError) {
        let place = folder.isEmpty ? root : root + "/" + folder
        guard depth < CodeFolder.maximumDepth else {
            throw RunnerError(
                .codeInvalid,
                "\(place.escapedForMessage) lies too deep; up to \(CodeFolder.maximumDepth) folders within one another are allowed"
            )
        }
        for name in try Self.names(in: place, isRoot: folder.isEmpty) {
            try add(folder.isEmpty ? name : folder + "/" + name, depth: depth)
        }
    }

    private mutating func add(_ path: String, depth: Int) throws(RunnerError) {
        let place = root + "/" + path
        var status = stat()
        guard lstat(place, &status) == 0 else { throw .unreadable(place, errno) }
        let format = status.st_mode & S_IFMT
        guard !rules.excludes(path, isDirectory: format == S_IFDIR) else { return }
        switch format {
        case S_IFDIR:
            try append(CodeFolderEntry(path: path, kind: .folder, status: status))
            try add(folder: path, depth: depth + 1)
        case S_IFREG:
            bytes += Int64(status.st_size)
            guard bytes <= CodeFolder.maximumBytes else {
                throw RunnerError(
                    .codeInvalid,
                    "\(root.escapedForMessage) has more than the \(CodeFolder.maximumBytes) bytes of code allowed; "
                        + "\(CodeFolder.ignoreFile) can leave out what isn't code"
                )
            }
            try append(CodeFolderEntry(path: path, kind: .file, status: status))
        case S_IFLNK:
            let target = try Self.linkTarget(place)
            try append(CodeFolderEntry(path: path, kind: .link, status: status, linkTarget: target))
        default:
            throw RunnerError(
                .codeInvalid,
                "\(place.escapedForMessage) is a device, fifo or socket; files, folders and symbolic links are allowed"
            )
        }
    }

    private mutating func append(_ entry: CodeFolderEntry) throws(RunnerError) {
        entries.append(entry)
        guard entries.count <= CodeFolder.maximumEntries else {
            throw RunnerError(
                .codeInvalid,
                "\(root.escapedForMessage) has more than the \(CodeFolder.maximumEntries) files, folders and links allowed; "
                    + "\(CodeFolder.ignoreFile) can leave out what isn't code"
            )
        }
    }

    /// The names in a folder in the order of their bytes, which is the same in every locale.
    private static func names(in place: String, isRoot: Bool) throws(RunnerError) -> [String] {
        // Only the root may be reached through a link: a folder swapped for one meanwhile isn't followed.
        let descriptor = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (isRoot ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else {
            guard errno != ENOTDIR || !isRoot else {
                throw RunnerError(.codeInvalid, "\(place.escapedForMessage) is not a folder")
            }
            throw .unreadable(place, errno)
        }
        guard let stream = fdopendir(descriptor) else {
            let number = errno
            close(descriptor)
            throw .unreadable(place, number)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let found = readdir(stream) else { break }
            let name = withUnsafePointer(to: &found.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(validatingCString: $0)
                }
            }
            guard let name else {
                throw RunnerError(.codeInvalid, "a name in \(place.escapedForMessage) is not valid UTF-8")
            }
            if name != ".", name != ".." { names.append(name) }
            // Some may be left out yet, but a folder of millions is no code in any case.
            guard names.count <= 10 * CodeFolder.maximumEntries else {
                throw RunnerError(
                    .codeInvalid,
                    "\(place.escapedForMessage) has more than \(10 * CodeFolder.maximumEntries) entries"
                )
            }
        }
        guard errno == 0 else { throw .unreadable(place, errno) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func linkTarget(_ place: String) throws(RunnerError) -> String {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(place, &target, target.count)
        guard length >= 0 else { throw .unreadable(place, errno) }
        guard let text = String(validating: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
            throw RunnerError(.codeInvalid, "the target of the link \(place.escapedForMessage) is not valid UTF-8")
        }
        return text
    }
}

/// An open file of a code folder.
struct CodeFile: ~Copyable {
    private let descriptor: Int32
    private let place: String
    private let status: stat

    /// Opens a regular file; nil when nothing is there, or something else than a regular file.
    init?(opening place: String, followingLinks: Bool) throws(RunnerError) {
        // O_NONBLOCK: opening a fifo would wait for a writer.
        let descriptor = open(place, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else {
            if [ENOENT, ELOOP, ENOTDIR].contains(errno) { return nil }
            throw .unreadable(place, errno)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.place = place
        self.status = status
    }

    deinit { close(descriptor) }

    var entrySize: Int64 { Int64(status.st_size) }

    /// Whether it is what the entry was made from.
    func isUnchanged(_ entry: CodeFolderEntry) -> Bool {
        CodeFolderEntry(path: entry.path, kind: .file, status: status) == entry
    }

    func isUnchangedNow(_ entry: CodeFolderEntry) throws(RunnerError) -> Bool {
        var now = stat()
        guard fstat(descriptor, &now) == 0 else { throw .unreadable(place, errno) }
        return CodeFolderEntry(path: entry.path, kind: .file, status: now) == entry
    }

    /// Hands over the content piece by piece, never more than it had when it was opened.
    func read(_ body: (UnsafeRawBufferPointer) -> Void) throws(RunnerError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var left = entrySize
        while left > 0 {
            let count = Glibc.read(descriptor, buffer.baseAddress, min(buffer.count, Int(left)))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(place, errno) }
            guard count > 0 else { return }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            left -= Int64(count)
        }
    }
}

extension RunnerError {
    fileprivate static func unreadable(_ place: String, _ number: Int32) -> RunnerError {
        RunnerError(.codeUnavailable, "\(place.escapedForMessage) can't be read: \(String(cString: strerror(number)))")
    }
}
