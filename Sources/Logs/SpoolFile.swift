import Glibc

/// What is done with the files of a spool. They are opened for each use: ten thousand bots would need more descriptors than a
/// process has.
enum SpoolFile {
    /// Opens, works and closes.
    static func with<Value>(
        _ path: String,
        _ flags: Int32,
        _ body: (Int32) throws(LogsError) -> Value
    ) throws(LogsError) -> Value {
        let descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .system("can't open", path, errno) }
        defer { close(descriptor) }
        return try body(descriptor)
    }

    /// The whole content; nil when there is no such file.
    static func read(_ path: String) throws(LogsError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("can't open", path, errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("can't examine", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw LogsError(.damaged, "\(path) is no regular file")
        }
        let size = Int(status.st_size)
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            while filled < size {
                let start = buffer.baseAddress?.advanced(by: filled)
                let count = pread(descriptor, start, size - filled, off_t(filled))
                if count < 0, errno == EINTR { continue }
                if count < 0 { failure = errno }
                if count <= 0 { return }
                filled += count
            }
        }
        if let failure { throw .system("can't read", path, failure) }
        return bytes
    }

    /// Writes all of the bytes at a place.
    static func write(
        _ bytes: [UInt8],
        at offset: Int,
        _ descriptor: Int32,
        _ path: String
    ) throws(LogsError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(
                    descriptor,
                    $0.baseAddress?.advanced(by: written),
                    $0.count - written,
                    off_t(offset + written)
                )
            }
            guard count >= 0 || errno == EINTR else { throw .system("can't write to", path, errno) }
            written += max(0, count)
        }
    }

    static func sync(_ path: String) throws(LogsError) {
        try with(path, O_RDONLY) { descriptor throws(LogsError) in
            guard fdatasync(descriptor) == 0 else { throw .system("can't write to", path, errno) }
        }
    }

    static func cut(_ path: String, to size: Int) throws(LogsError) {
        guard truncate(path, off_t(size)) == 0 else { throw .system("can't cut", path, errno) }
    }

    static func remove(_ path: String) throws(LogsError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("can't remove", path, errno) }
    }

    static func makeFolder(_ path: String) throws(LogsError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("can't make", path, errno) }
    }

    /// The names in a folder, in their order; nil when there is no such folder.
    static func names(in folder: String) throws(LogsError) -> [String]? {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return nil }
            throw .system("can't list", folder, errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(validatingCString: $0)
                }
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw .system("can't list", folder, errno) }
        return names.sorted()
    }
}
