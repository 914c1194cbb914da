import Glibc

/// Why a file or a folder can't be read.
struct FileProblem: Error, CustomStringConvertible {
    let description: String

    /// Whole only in a moment.
    static let beingWritten = FileProblem(
        description: "is being written; it is read once it has been left alone for 150 ms"
    )

    /// The system's words for an error number.
    static func system(_ number: Int32) -> FileProblem {
        FileProblem(description: "can't be read: \(String(cString: strerror(number)))")
    }
}

/// Tells one folder or file of this machine from another, whatever its path.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
}

/// Reading of small text files.
enum TextFile {
    /// The text of a regular file, or nil when there is none.
    /// - Parameters:
    ///   - path: where it is.
    ///   - limit: the most bytes it may have.
    ///   - clock: tells whether it is being written; nil for a file that is only ever replaced by another.
    /// - Throws: ``FileProblem`` when it can't be read, is being written, is too long, or isn't UTF-8.
    static func read(_ path: String, limit: Int, clock: FileClock?) throws(FileProblem) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system(errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileProblem(description: "is no regular file") }
        // The front part of a file is often valid too, and says that what isn't written yet was deleted.
        let before = FileState(status)
        if let clock, before.isBeingWritten(at: clock.wall()) { throw .beingWritten }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= limit else { throw FileProblem(description: "is longer than \(limit) bytes") }
        }
        guard fstat(descriptor, &status) == 0 else { throw .system(errno) }
        guard FileState(status) == before, bytes.count == before.size else { throw .beingWritten }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileProblem(description: "is no UTF-8 text")
        }
        return text
    }

    /// The names in a folder, in a fixed order, without `.` and `..` and without those that aren't UTF-8.
    /// - Throws: ``FileProblem`` when not all can be read.
    static func names(in path: String) throws(FileProblem) -> [String] {
        guard let folder = opendir(path) else { throw .system(errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                guard errno == 0 else { throw .system(errno) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
    }

    /// Whether something is at a path, or may be: only an answer that it isn't is one.
    static func mayExist(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    /// Which folder or file a path leads to now.
    /// - Throws: ``FileProblem`` when that can't be told.
    static func identity(_ path: String) throws(FileProblem) -> FileIdentity {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system(errno) }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether what a path leads to was written just now, or can't be found any more.
    static func isBeingWritten(_ path: String, clock: FileClock) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return true }
        return FileState(status).isBeingWritten(at: clock.wall())
    }

    /// Whether a path leads to a folder.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
