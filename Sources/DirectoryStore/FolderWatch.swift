import Glibc

/// Watches of the system (inotify) on a folder and all folders below it.
///
/// Owns its descriptor, and is used by one thread.
struct FolderWatch: ~Copyable {
    /// Folders that are never worth a watch: what changes there comes with a change elsewhere.
    static let skipped: Set<String> = [
        ".git", "__pycache__", "node_modules", "vendor", "target", ".venv", BotDirectory.ownFolder,
    ]

    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
    )

    let descriptor: Int32
    private let root: String

    init(root: String) throws(FileProblem) {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard descriptor >= 0 else { throw .system(errno) }
        self.root = root
    }

    deinit { close(descriptor) }

    /// Watches every folder there is now; watching one again changes nothing.
    /// - Throws: ``FileProblem`` when the root can't be watched, or the system allows no more watches.
    func watchAll() throws(FileProblem) {
        try add(root, depth: 0)
    }

    private func add(_ path: String, depth: Int) throws(FileProblem) {
        guard inotify_add_watch(descriptor, path, Self.mask | UInt32(IN_ONLYDIR)) >= 0 else {
            // A folder that went away meanwhile is reported by its parent's watch.
            if depth > 0, errno != ENOSPC, errno != ENOMEM { return }
            throw .system(errno)
        }
        guard depth < 64 else { return }
        let names: [String]
        do throws(FileProblem) { names = try TextFile.names(in: path) } catch { return }
        for name in names where !Self.skipped.contains(name) && TextFile.isFolder("\(path)/\(name)") {
            try add("\(path)/\(name)", depth: depth + 1)
        }
    }

    /// Takes all events that have come.
    /// - Returns: whether there were any.
    func drain() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var any = false
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return any }
            any = true
        }
    }
}
