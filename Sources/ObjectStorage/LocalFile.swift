import Glibc
import Synchronization
import Util

/// A file that is written beside the one it replaces once it is complete; until then it disappears with the last reference.
final class PartialFile: Sendable {
    /// What its name contains; files of that kind that were left over when a process was killed can be told by it.
    static let mark = ".partial-"

    private let descriptor: Int32
    private let path: String
    private let destination: String
    private let isCommitted = Mutex(false)

    init(replacing destination: String) throws(ObjectStorageError) {
        self.destination = destination
        let folder = destination.lastIndex(of: "/").map { destination[...$0] } ?? ""
        path = "\(folder)\(Self.mark)\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("can't create a file beside", destination, errno) }
    }

    deinit {
        close(descriptor)
        if !isCommitted.withLock({ $0 }) { unlink(path) }
    }

    func write(_ bytes: [UInt8]) throws(ObjectStorageError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            guard count >= 0 || errno == EINTR else { throw .system("can't write to", destination, errno) }
            written += max(0, count)
        }
    }

    /// Makes the content durable and the file the destination.
    func commit() throws(ObjectStorageError) {
        guard fsync(descriptor) == 0 else { throw .system("can't write to", destination, errno) }
        guard rename(path, destination) == 0 else { throw .system("can't replace", destination, errno) }
        isCommitted.withLock { $0 = true }
        syncFolder()
    }

    /// Makes the content durable and the file the destination, unless there is one.
    /// - Returns: whether it was.
    func commitUnlessThere() throws(ObjectStorageError) -> Bool {
        guard fsync(descriptor) == 0 else { throw .system("can't write to", destination, errno) }
        guard link(path, destination) == 0 else {
            guard errno == EEXIST else { throw .system("can't make", destination, errno) }
            return false
        }
        syncFolder()
        return true
    }

    private func syncFolder() {
        let folder = open(
            destination.lastIndex(of: "/").map { String(destination[...$0]) } ?? ".",
            O_RDONLY | O_CLOEXEC
        )
        guard folder >= 0 else { return }
        defer { close(folder) }
        // Some file systems can't do it for folders (EINVAL); the file itself is complete in any case.
        fsync(folder)
    }
}

/// A regular file that is open for reading.
final class SourceFile: Sendable {
    let size: Int64
    private let descriptor: Int32
    private let path: String

    /// Opens a file; nil when there is none.
    init?(path: String) throws(ObjectStorageError) {
        // O_NONBLOCK: opening a fifo would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system("can't open", path, errno)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ObjectStorageError(.localFile, "\(path.quotedForError) is not a regular file", isRetryable: false)
        }
        self.descriptor = descriptor
        self.path = path
        do throws(ObjectStorageError) {
            try SizeNote.lock(descriptor, LOCK_SH, path)
            guard fstat(descriptor, &status) == 0 else { throw .system("can't examine", path, errno) }
            size = try SizeNote.read(beside: path, of: status) ?? Int64(status.st_size)
            flock(descriptor, LOCK_UN)
        } catch {
            close(descriptor)
            throw error
        }
        etag = SizeNote.etag(status, size: size)
    }

    /// Changes whenever a file takes another's place or is written to.
    let etag: String

    deinit { close(descriptor) }

    /// The bytes from an offset, as many as there are up to `count`.
    func read(at offset: Int64, count: Int) throws(ObjectStorageError) -> [UInt8] {
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let start = buffer.baseAddress?.advanced(by: filled)
                let got = pread(descriptor, start, count - filled, off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { return }
                filled += got
            }
        }
        if let failure { throw .system("can't read", path, failure) }
        return bytes
    }

    /// Exactly the bytes of a range that lay in the file when it was opened.
    func readExactly(at offset: Int64, count: Int) throws(ObjectStorageError) -> [UInt8] {
        let bytes = try read(at: offset, count: count)
        guard bytes.count == count else {
            throw ObjectStorageError(.localFile, "\(path.quotedForError) became shorter while it was read")
        }
        return bytes
    }
}

extension ObjectStorageError {
    /// The error of a system call.
    static func system(_ doing: String, _ path: String, _ number: Int32) -> ObjectStorageError {
        let isFull = number == ENOSPC || number == EDQUOT
        let reason = String(cString: strerror(number))
        return ObjectStorageError(isFull ? .diskFull : .localFile, "\(doing) \(path.quotedForError): \(reason)")
    }
}

/// Takes calls that block to threads of their own.
struct Disk: Sendable {
    let executor: BlockingExecutor

    func run<Value: Sendable>(
        _ call: @Sendable () throws(ObjectStorageError) -> Value
    ) async throws(ObjectStorageError) -> Value {
        do {
            return try await executor.blocking(call)
        } catch let error as ObjectStorageError {
            throw error
        } catch {
            throw ObjectStorageError(.cancelled, "cancelled before the disk was reached", cause: error)
        }
    }
}
