import Glibc
public import Util

/// A bucket that is a folder on this machine: each object is a file in it.
///
/// Keys become names of files that stay inside the folder and never collide, whatever the key is (see `fileName`).
/// Several processes may use the folder at once.
public struct DirectoryObjectStorage: ObjectStorage {
    let root: String
    let disk: Disk

    /// The bucket in a folder, which must exist.
    /// - Parameters:
    ///   - root: the folder's path.
    ///   - executor: where calls block while they read and write.
    public init(root: String, executor: BlockingExecutor) {
        self.root = root
        disk = Disk(executor: executor)
    }

    /// Copies an object, see ``ObjectStorage/get(_:to:limit:)``.
    public func get(_ key: String, to file: String, limit: Int64) async throws(ObjectStorageError) -> ObjectInfo {
        try await disk.run { () throws(ObjectStorageError) in
            let source = try open(key)
            guard source.size <= limit else { throw .tooLarge(key, size: source.size, limit: limit) }
            let partial = try PartialFile(replacing: file)
            var offset: Int64 = 0
            while offset < source.size {
                guard !Task.isCancelled else { throw ObjectStorageError(.cancelled, "cancelled") }
                let count = Int(min(1 << 20, source.size - offset))
                try partial.write(try source.readExactly(at: offset, count: count))
                offset += Int64(count)
            }
            try partial.commit()
            return ObjectInfo(key: key, size: source.size, etag: source.etag)
        }
    }

    /// Reads a small object, see ``ObjectStorage/getBytes(_:limit:)``.
    public func getBytes(_ key: String, limit: Int) async throws(ObjectStorageError) -> [UInt8] {
        try await disk.run { () throws(ObjectStorageError) in
            let source = try open(key)
            guard source.size <= limit else { throw .tooLarge(key, size: source.size, limit: Int64(limit)) }
            return try source.readExactly(at: 0, count: Int(source.size))
        }
    }

    /// Stores a copy of a file, see ``ObjectStorage/put(_:file:)``.
    public func put(_ key: String, file: String) async throws(ObjectStorageError) {
        try await disk.run { () throws(ObjectStorageError) in
            guard let source = try SourceFile(path: file) else { throw .system("can't open", file, ENOENT) }
            let partial = try partialFile(for: key)
            var offset: Int64 = 0
            while offset < source.size {
                guard !Task.isCancelled else { throw ObjectStorageError(.cancelled, "cancelled") }
                let count = Int(min(1 << 20, source.size - offset))
                try partial.write(try source.readExactly(at: offset, count: count))
                offset += Int64(count)
            }
            try partial.commit()
        }
    }

    /// Stores bytes, see ``ObjectStorage/put(_:bytes:contentType:)``; the content type isn't kept.
    public func put(_ key: String, bytes: [UInt8], contentType: String) async throws(ObjectStorageError) {
        try await disk.run { () throws(ObjectStorageError) in
            let partial = try partialFile(for: key)
            try partial.write(bytes)
            try partial.commit()
        }
    }

    /// Looks for an object, see ``ObjectStorage/info(_:)``.
    public func info(_ key: String) async throws(ObjectStorageError) -> ObjectInfo? {
        try await disk.run { () throws(ObjectStorageError) in
            guard let source = try SourceFile(path: try path(of: key)) else {
                try checkRoot()
                return nil
            }
            return ObjectInfo(key: key, size: source.size, etag: source.etag)
        }
    }

    /// Removes an object, see ``ObjectStorage/delete(_:)``.
    public func delete(_ key: String) async throws(ObjectStorageError) {
        try await disk.run { () throws(ObjectStorageError) in
            let path = try path(of: key)
            guard unlink(path) != 0 else { return }
            guard errno == ENOENT || errno == ENOTDIR else { throw .system("can't remove", path, errno) }
            try checkRoot()
        }
    }

    /// Lists objects, see ``ObjectStorage/list(prefix:)``.
    public func list(prefix: String) async throws(ObjectStorageError) -> [ObjectInfo] {
        try await disk.run { () throws(ObjectStorageError) in
            try checkRoot()
            var found: [ObjectInfo] = []
            try list(root, encoded: "", depth: 0, into: &found)
            return found.filter { $0.key.utf8.starts(with: prefix.utf8) }
                .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        }
    }

    /// Looks whether the folder is there and can be read, see ``ObjectStorage/check()``.
    public func check() async throws(ObjectStorageError) {
        try await disk.run { () throws(ObjectStorageError) in
            try checkRoot()
            guard access(root, R_OK | X_OK) == 0 else {
                throw ObjectStorageError(.denied, "the folder \(root.quotedForError) can't be read by this user")
            }
        }
    }

    func open(_ key: String) throws(ObjectStorageError) -> SourceFile {
        if let file = try SourceFile(path: try path(of: key)) { return file }
        try checkRoot()
        throw ObjectStorageError(.notFound, "\(root.quotedForError) has no object \(key.quotedForError)")
    }

    /// That an object isn't there is known only when the bucket is.
    func checkRoot() throws(ObjectStorageError) {
        var status = stat()
        guard stat(root, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .system("can't examine", root, errno) }
            throw ObjectStorageError(.noBucket, "the folder \(root.quotedForError) isn't there")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw ObjectStorageError(.noBucket, "\(root.quotedForError) is not a folder")
        }
    }

    func path(of key: String) throws(ObjectStorageError) -> String {
        root + "/" + (try DirectoryKey.relativePath(of: key))
    }

    func partialFile(for key: String) throws(ObjectStorageError) -> PartialFile {
        try checkRoot()
        let path = try path(of: key)
        let parts = (try DirectoryKey.relativePath(of: key)).split(separator: "/").dropLast()
        var folder = root
        for part in parts {
            folder += "/" + part
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw .system("can't create", folder, errno) }
        }
        return try PartialFile(replacing: path)
    }

    private func list(
        _ folder: String,
        encoded: String,
        depth: Int,
        into found: inout [ObjectInfo]
    ) throws(ObjectStorageError) {
        guard let stream = opendir(folder) else { throw .system("can't list", folder, errno) }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            // A name that is not valid UTF-8 can't be one of ours, as any that isn't the encoding of a key.
            guard let name = entry.name, name != ".", name != ".." else { continue }
            if DirectoryKey.isFolder(name), depth < DirectoryKey.maximumDepth {
                try list(folder + "/" + name, encoded: encoded + name.dropLast(), depth: depth + 1, into: &found)
            } else if let key = DirectoryKey.key(encoded: encoded + name),
                DirectoryKey.isRelativePath(name, depth, of: key)
            {
                var status = stat()
                // Removed since it was listed: then it isn't there.
                guard stat(folder + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                    let file = try SourceFile(path: folder + "/" + name)
                else { continue }
                found.append(ObjectInfo(key: key, size: file.size, etag: file.etag))
            }
        }
        guard errno == 0 else { throw .system("can't list", folder, errno) }
    }
}

extension UnsafeMutablePointer<dirent> {
    fileprivate var name: String? {
        withUnsafePointer(to: &pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                String(validatingCString: $0)
            }
        }
    }
}

extension ObjectStorageError {
    static func tooLarge(_ key: String, size: Int64?, limit: Int64) -> ObjectStorageError {
        let has = size.map { "has \($0) bytes" } ?? "has more bytes than that"
        return ObjectStorageError(.tooLarge, "the object \(key.quotedForError) \(has); up to \(limit) are allowed")
    }
}
