import Glibc

/// What libmongoc, from the moment the program is loaded, keeps in shared memory for a tool of its own: `/dev/shm/mongoc-PID`,
/// which only an orderly end of the process removes.
enum MongoCounters {
    private static let folder = "/dev/shm"
    private static let prefix = "mongoc-"

    /// Removes those of processes that were killed. A later process of the same number would find its own in use and have
    /// libmongoc say so on standard error, among whatever it prints.
    static func removeStale() {
        guard let stream = opendir(folder) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix(prefix), let pid = pid_t(name.dropFirst(prefix.count)), pid > 0 else { continue }
            // What belongs to another user can't be removed, and isn't ours to judge.
            if kill(pid, 0) != 0, errno == ESRCH { shm_unlink("/\(name)") }
        }
    }

    /// Removes this process's own, for an end without exit handlers.
    static func removeOwn() { shm_unlink("/\(prefix)\(getpid())") }
}
