import Glibc

/// What the system says about a file.
struct FileStatus {
    enum Kind { case regular, directory, symlink, other }

    let kind: Kind
    let mode: UInt16
    let size: Int64
    private let device: UInt64
    private let inode: UInt64
    private let changed: (seconds: Int, nanoseconds: Int)

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            default: .other
            }
        mode = UInt16(status.st_mode & 0o777)
        size = Int64(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        changed = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }

    init(descriptor: Int32) throws(ArchiveError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("can't examine an open file") }
        self.init(status)
    }

    func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

    func isUnchanged(since before: FileStatus) -> Bool { size == before.size && changed == before.changed }
}

/// An open file of a directory tree.
struct OpenFile: ~Copyable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func status() throws(ArchiveError) -> FileStatus { try FileStatus(descriptor: descriptor) }

    /// The next bytes; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, path: EntryPath) throws(ArchiveError) -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .system("can't be read", entry: path.text) }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, path: EntryPath) throws(ArchiveError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, slice.baseAddress, slice.count)
            guard count >= 0 || errno == EINTR else { throw .system("can't be written", entry: path.text) }
            rest = rest.dropFirst(max(0, count))
        }
    }

    /// Sets the permissions, whatever the umask.
    func setMode(_ mode: UInt16, path: EntryPath) throws(ArchiveError) {
        guard fchmod(descriptor, mode_t(mode)) == 0 else { throw .system("can't be given its mode", entry: path.text) }
    }
}
