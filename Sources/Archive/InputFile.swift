import Glibc

/// A regular file open for reading at any position.
struct InputFile: ~Copyable {
    let descriptor: Int32
    let path: String
    let size: UInt64

    init(path: String) throws(ArchiveError) {
        // O_NONBLOCK: opening a fifo would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("can't open \"\(path)\"") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = ArchiveError.system("can't examine \"\(path)\"")
            close(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ArchiveError(.unsupported, "\"\(path)\" is not a regular file")
        }
        self.descriptor = descriptor
        self.path = path
        size = UInt64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Exactly `count` bytes from `offset`; `.truncated` where the file ends before.
    func bytes(at offset: UInt64, count: Int) throws(ArchiveError) -> [UInt8] {
        guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
            throw ArchiveError(.truncated, "the file has \(size) bytes, but \(count) are announced at \(offset)")
        }
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: filled),
                    count - filled,
                    off_t(offset) + off_t(filled)
                )
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { return }
                filled += got
            }
        }
        if let failure { throw ArchiveError(.io, "can't read \"\(path)\"", errno: failure) }
        guard bytes.count == count else { throw ArchiveError(.io, "\"\(path)\" became shorter while it was read") }
        return bytes
    }
}

extension Array where Element == UInt8 {
    /// The unsigned number in `count` bytes from `position`, least significant first; zero bits where the array ends.
    func littleEndian(_ position: Int, _ count: Int) -> UInt64 {
        self.dropFirst(position).prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func begins(with signature: [UInt8], at position: Int = 0) -> Bool {
        self.dropFirst(position).starts(with: signature)
    }
}
