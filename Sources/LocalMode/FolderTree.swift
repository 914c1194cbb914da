import CLinux
import Glibc

/// Removes folders that bots have written in: nothing is followed, and modes they took away are given back.
enum FolderTree {
    /// Deeper than a path can be named, since bots may go down step by step.
    private static let deepest = 20_000

    /// Removes a folder with all that is in it; none is a success.
    static func remove(_ path: String) throws(LocalError) {
        guard unlink(path) != 0 else { return }
        if errno == ENOENT { return }
        // Whatever it is named now, nothing of ours is in the way of a new one.
        let descriptor = try openFolder(AT_FDCWD, path, path)
        guard descriptor >= 0 else { return }
        try empty(descriptor, path)
        guard rmdir(path) == 0 || errno == ENOENT else { throw .system("can't remove the folder", path) }
    }

    /// Empties folders without recursion, which a deep tree would turn into a stack overflow, and with few descriptors: each
    /// level holds one only while it is in work, and goes up through "..".
    private static func empty(_ root: Int32, _ path: String) throws(LocalError) {
        var current = root
        defer { close(current) }
        /// How far below the root, by the names to remove on the way up.
        var way: [[CChar]] = []
        while true {
            if let folder = try firstFolder(in: current, path) {
                guard way.count < deepest else { throw LocalError(.file, "\(path) is nested too deep to be removed") }
                let inner = try openFolder(current, folder, path)
                if inner < 0 { continue }
                close(current)
                current = inner
                way.append(folder)
            } else {
                guard let name = way.popLast() else { return }
                let outer = openat(current, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                guard outer >= 0 else { throw .system("can't go up in", path) }
                close(current)
                current = outer
                guard unlinkat(current, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
                    throw .system("can't remove a folder in", path)
                }
            }
        }
    }

    /// Removes the files of a folder.
    /// - Returns: the first folder in it, nil when there is none left.
    private static func firstFolder(in descriptor: Int32, _ path: String) throws(LocalError) -> [CChar]? {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let error = LocalError.system("can't list a folder in", path)
            if copy >= 0 { close(copy) }
            throw error
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            if name == [0x2E, 0] || name == [0x2E, 0x2E, 0] { continue }
            if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { continue }
            guard errno == EISDIR || errno == EPERM || errno == EACCES else {
                throw .system("can't remove a file in", path)
            }
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFDIR
            else { throw .system("can't remove a file in", path, EACCES) }
            return name
        }
        guard errno == 0 else { throw .system("can't list a folder in", path) }
        return nil
    }

    /// Opens a folder for listing and changing; -1 when it is gone.
    private static func openFolder(_ parent: Int32, _ name: [CChar], _ path: String) throws(LocalError) -> Int32 {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW
        var descriptor = openat(parent, name, flags)
        if descriptor < 0, errno == EACCES {
            fchmodat(parent, name, 0o700, 0)
            descriptor = openat(parent, name, flags)
        }
        guard descriptor >= 0 else {
            if errno == ENOENT { return -1 }
            throw .system("can't open a folder in", path)
        }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & 0o700 != 0o700 { fchmod(descriptor, 0o700) }
        return descriptor
    }

    private static func openFolder(_ parent: Int32, _ name: String, _ path: String) throws(LocalError) -> Int32 {
        try openFolder(parent, Array(name.utf8CString), path)
    }
}
