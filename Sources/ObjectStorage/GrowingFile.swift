import Glibc
import Util

/// A file that is open to be added to, in place: what is there isn't copied.
///
/// A file's size changes while it is being written to, and stays changed when the process dies at that. So the size from before
/// is kept beside the file until the addition is complete, and readers, who wait for one under way, look there first.
final class GrowingFile {
    private let descriptor: Int32
    private let path: String
    private let before: Int64
    private var size: Int64
    private var isDone = false

    /// Opens the file that an object lies in; nil when there is none.
    init?(path: String) throws(ObjectStorageError) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system("can't open", path, errno)
        }
        self.descriptor = descriptor
        self.path = path
        do throws(ObjectStorageError) {
            try SizeNote.lock(descriptor, LOCK_EX, path)
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw ObjectStorageError(.localFile, "\(path.quotedForError) is not a regular file", isRetryable: false)
            }
            let note = try SizeNote.read(beside: path, of: status)
            if let note, note < Int64(status.st_size) {
                guard ftruncate(descriptor, off_t(note)) == 0 else { throw .system("can't cut", path, errno) }
            }
            before = note ?? Int64(status.st_size)
            size = before
            etag = SizeNote.etag(status, size: before)
            // What an addition that was broken off has left is gone, and so may be the note on it.
            try SizeNote.remove(beside: path)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// As readers see it.
    let etag: String

    deinit {
        // An addition that failed; should this fail too, the note still says what is whole.
        if !isDone, size != before, ftruncate(descriptor, off_t(before)) == 0 { try? SizeNote.remove(beside: path) }
        close(descriptor)
    }

    func append(_ bytes: [UInt8]) throws(ObjectStorageError) {
        if size == before { try SizeNote.write(before, beside: path, descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(
                    descriptor,
                    $0.baseAddress?.advanced(by: written),
                    $0.count - written,
                    off_t(size) + off_t(written)
                )
            }
            guard count >= 0 || errno == EINTR else {
                let error = ObjectStorageError.system("can't write to", path, errno)
                size += Int64(max(1, written))
                throw error
            }
            written += max(0, count)
        }
        size += Int64(bytes.count)
    }

    /// Makes the addition durable and visible.
    func commit() throws(ObjectStorageError) {
        guard size != before else { return }
        guard fsync(descriptor) == 0 else { throw .system("can't write to", path, errno) }
        try SizeNote.remove(beside: path)
        isDone = true
    }
}

/// What a file's size was before an addition to it that isn't complete; see ``GrowingFile``.
enum SizeNote {
    private static let mark = ".growing-"

    static func lock(_ descriptor: Int32, _ kind: Int32, _ path: String) throws(ObjectStorageError) {
        while flock(descriptor, kind) != 0 {
            guard errno == EINTR else { throw .system("can't lock", path, errno) }
        }
    }

    /// See ``SourceFile/etag``.
    static func etag(_ status: stat, size: Int64) -> String {
        [UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_mtim.tv_sec)), UInt64(status.st_mtim.tv_nsec)]
            .map { String($0, radix: 16) }.joined(separator: "-") + "-" + String(size, radix: 16)
    }

    /// The size that was noted; nil when no addition is under way or was broken off.
    static func read(beside path: String, of status: stat) throws(ObjectStorageError) -> Int64? {
        guard let note = readlinkText(notePath(path)) else {
            guard errno == ENOENT || errno == EINVAL else { throw .system("can't read the note on", path, errno) }
            return nil
        }
        let parts = note.split(separator: ":")
        // A note on a file that another one has replaced since says nothing of that one.
        guard parts.count == 2, UInt64(parts[0], radix: 16) == UInt64(status.st_ino) else { return nil }
        return Int64(parts[1], radix: 16)
    }

    /// A symbolic link's text is written as a whole or not at all.
    static func write(_ size: Int64, beside path: String, _ descriptor: Int32) throws(ObjectStorageError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("can't examine", path, errno) }
        let text = String(UInt64(status.st_ino), radix: 16) + ":" + String(size, radix: 16)
        guard symlink(text, notePath(path)) == 0 else { throw .system("can't note the size of", path, errno) }
        let folder = open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        fsync(folder)
    }

    static func remove(beside path: String) throws(ObjectStorageError) {
        guard unlink(notePath(path)) == 0 || errno == ENOENT else {
            throw .system("can't remove the note on", path, errno)
        }
    }

    private static func notePath(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return mark + path }
        return path[...slash] + mark + path[path.index(after: slash)...]
    }

    private static func readlinkText(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(path, &buffer, buffer.count)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
