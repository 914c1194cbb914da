import Glibc

/// A new file that disappears again unless `commit` is reached.
struct OutputFile: ~Copyable {
    let descriptor: Int32
    private let path: String
    private var isCommitted = false

    /// Creates the file; one that exists already is left alone and is an error.
    init(creating path: String) throws(ArchiveError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("can't create \"\(path)\"") }
        self.descriptor = descriptor
        self.path = path
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, slice.baseAddress, slice.count)
            guard count >= 0 || errno == EINTR else { throw .system("can't write \"\(path)\"") }
            rest = rest.dropFirst(max(0, count))
        }
    }

    /// Makes the file durable and lets it stay.
    mutating func commit() throws(ArchiveError) {
        guard fsync(descriptor) == 0 else { throw .system("can't write \"\(path)\" to the disk") }
        isCommitted = true
    }

    deinit {
        close(descriptor)
        if !isCommitted { unlink(path) }
    }
}
