import CLinux
import Glibc

/// Files and folders, by plain system calls: what looks after a bot for weeks shouldn't carry all of Foundation.
enum SystemFile {
    /// Nothing of ours comes near it.
    private static let longest = 64 << 20

    /// What a file holds; nil when there is none.
    static func read(_ path: String) throws(LocalError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("can't open", path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= longest {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("can't read", path) }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
        throw LocalError(.damaged, "\(path) is longer than anything of ours")
    }

    /// Replaces a file in one step: a reader finds the old content, or the new, or none.
    static func replace(_ path: String, with bytes: [UInt8]) throws(LocalError) {
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        do throws(LocalError) {
            try create(draft, bytes, mode: 0o600)
            guard rename(draft, path) == 0 else { throw .system("can't rename a file to", path) }
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Makes a new file.
    static func create(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(LocalError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw .system("can't make the file", path) }
        defer { close(descriptor) }
        // Whatever the umask.
        guard fchmod(descriptor, mode) == 0 else { throw .system("can't set the mode of", path) }
        try write(bytes, to: descriptor, path)
    }

    /// Writes all of it.
    static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(LocalError) {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("can't write", path) }
            start += count
        }
    }

    /// Whether an open file still has this path.
    static func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
        var opened = stat()
        var named = stat()
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino
            && opened.st_dev == named.st_dev
    }

    /// Makes a folder that only this user can use.
    /// - Returns: false when there is something of that name.
    @discardableResult
    static func makeFolder(_ path: String) throws(LocalError) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw .system("can't make the folder", path) }
        return false
    }

    /// Makes a folder and those above it, unless they are there.
    /// - Throws: ``LocalError`` also when others could write there: they would decide what bots run.
    static func makeFolders(_ path: String) throws(LocalError) {
        if mkdir(path, 0o700) == 0 { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolders(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("can't make the folder", path) }
            return
        }
        guard errno == EEXIST else { throw .system("can't make the folder", path) }
        guard isFolder(path) else { throw .system("can't make the folder", path, ENOTDIR) }
    }

    /// Whether others could write into a folder, or it is another user's.
    static func isPrivate(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
            && status.st_mode & 0o022 == 0
    }

    /// Whether there is a folder of this path, links followed.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether there is anything of this path.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// The names in a folder; nil when there is none. Names that aren't UTF-8 aren't ours.
    static func names(in folder: String) throws(LocalError) -> [String]? {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return nil }
            throw .system("can't list", folder)
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
        guard errno == 0 else { throw .system("can't list", folder) }
        return names
    }
}
