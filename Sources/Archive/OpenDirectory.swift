import Glibc

/// An open directory, from which its content is reached without following any link.
struct OpenDirectory: ~Copyable {
    let descriptor: Int32

    init(path: String) throws(ArchiveError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("can't open the directory \"\(path)\"") }
    }

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The names in it, in the order of their bytes.
    func names(limit: Int = .max) throws(ArchiveError) -> [[UInt8]] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .system("can't list a directory") }
        guard let stream = fdopendir(copy) else {
            let error = ArchiveError.system("can't list a directory")
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let found = readdir(stream) else {
                guard errno == 0 else { throw .system("can't list a directory") }
                break
            }
            let name = withUnsafeBytes(of: &found.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] else { continue }
            guard names.count < limit else {
                throw ArchiveError(.tooManyEntries, entry: name, "the directory has more than \(limit) entries")
            }
            names.append(name)
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    func status(of name: [UInt8], path: EntryPath) throws(ArchiveError) -> FileStatus {
        var status = stat()
        guard fstatat(descriptor, terminated(name), &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw .system("can't be examined", entry: path.text)
        }
        return FileStatus(status)
    }

    func directory(_ name: [UInt8], path: EntryPath) throws(ArchiveError) -> OpenDirectory {
        let opened = openat(descriptor, terminated(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else { throw .system("can't be opened as a directory", entry: path.text) }
        return OpenDirectory(descriptor: opened)
    }

    /// Opens a regular file for reading.
    func file(_ name: [UInt8], path: EntryPath) throws(ArchiveError) -> OpenFile {
        let opened = openat(descriptor, terminated(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard opened >= 0 else { throw .system("can't be opened", entry: path.text) }
        let file = OpenFile(descriptor: opened)
        guard try file.status().kind == .regular else {
            throw ArchiveError(.io, entry: path.text, "changed while it was read")
        }
        return file
    }

    /// Creates a file for writing; nothing may exist there.
    func create(_ name: [UInt8], path: EntryPath) throws(ArchiveError) -> OpenFile {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let opened = openat(descriptor, terminated(name), flags, 0o600)
        guard opened >= 0 else { throw .system("can't be created", entry: path.text) }
        return OpenFile(descriptor: opened)
    }

    func linkTarget(of name: [UInt8], path: EntryPath) throws(ArchiveError) -> [UInt8] {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlinkat(descriptor, terminated(name), &target, target.count)
        guard length >= 0 else { throw .system("can't be read as a link", entry: path.text) }
        return target.prefix(length).map { UInt8(bitPattern: $0) }
    }

    /// Makes a directory with mode 0755, whatever the umask.
    func makeDirectory(_ name: [UInt8], path: EntryPath) throws(ArchiveError) {
        guard mkdirat(descriptor, terminated(name), 0o755) == 0,
            fchmodat(descriptor, terminated(name), 0o755, 0) == 0
        else { throw .system("can't be created as a directory", entry: path.text) }
    }

    func makeLink(_ name: [UInt8], target: String, path: EntryPath) throws(ArchiveError) {
        guard symlinkat(target, descriptor, terminated(name)) == 0 else {
            throw .system("can't be created as a link", entry: path.text)
        }
    }

    /// Removes all that is in it, as far as possible; links are removed, never followed.
    func removeContent() {
        guard let names = try? names() else { return }
        for name in names where unlinkat(descriptor, terminated(name), 0) != 0 {
            let opened = openat(descriptor, terminated(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard opened >= 0 else { continue }
            OpenDirectory(descriptor: opened).removeContent()
            unlinkat(descriptor, terminated(name), AT_REMOVEDIR)
        }
    }

    func terminated(_ name: [UInt8]) -> [CChar] {
        name.map { CChar(bitPattern: $0) } + [0]
    }
}
