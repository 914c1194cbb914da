import Glibc
import Model
import Runtime
import Synchronization

/// A process's own folder for what isn't complete yet; what a killed process left is removed by the next one.
final class Workspace: Sendable {
    private let path: String
    private let lock: FileLock
    private let next = Atomic(0)

    private init(_ path: String, _ lock: FileLock) {
        self.path = path
        self.lock = lock
    }

    deinit {
        // The lock goes with the last reference, after this.
        removeTree(path)
    }

    static func open(in parent: String) throws(RunnerError) -> Workspace {
        try removeAbandoned(in: parent)
        while true {
            let path = "\(parent)/\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
            // The lock comes first: a folder without one is nobody's.
            guard let lock = try FileLock.take(path + lockSuffix) else { continue }
            try makeFolder(path)
            return Workspace(path, lock)
        }
    }

    /// A path in it at which nothing is yet.
    func newFile() -> WorkFile {
        WorkFile(path: "\(path)/\(next.wrappingAdd(1, ordering: .relaxed).newValue)")
    }

    private static let lockSuffix = ".lock"

    private static func removeAbandoned(in parent: String) throws(RunnerError) {
        for name in try names(in: parent) {
            let owner = name.hasSuffix(lockSuffix) ? String(name.dropLast(lockSuffix.count)) : name
            // Its owner lives as long as the lock is held.
            guard let lock = try FileLock.take("\(parent)/\(owner)\(lockSuffix)") else { continue }
            removeTree("\(parent)/\(owner)")
            withExtendedLifetime(lock) {}
        }
    }
}

/// A file of a workspace.
struct WorkFile: Sendable {
    let path: String

    func remove() { unlink(path) }
}

/// Makes a folder that only this user can use, unless it is there.
func makeFolder(_ path: String) throws(RunnerError) {
    guard mkdir(path, 0o700) != 0 else { return }
    let number = errno
    if number == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("can't make", path, errno) }
        return
    }
    var status = stat()
    guard number == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw .system("can't make the folder", path, number)
    }
    // Whoever may write here decides what code bots run.
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
        throw RunnerError(
            .codeUnavailable,
            "the folder \(path.escapedForMessage) belongs to another user or can be written by others; expected one of our own"
        )
    }
}

/// The names in a folder; those that aren't UTF-8 aren't ours.
func names(in folder: String) throws(RunnerError) -> [String] {
    guard let stream = opendir(folder) else { throw .system("can't list", folder, errno) }
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
    return names
}

/// Removes a file, or a folder with all files in it.
private func removeTree(_ path: String) {
    guard unlink(path) != 0, rmdir(path) != 0 else { return }
    guard let names = try? names(in: path) else { return }
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
}
