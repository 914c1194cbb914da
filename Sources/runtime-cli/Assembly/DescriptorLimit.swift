import Glibc

/// How many files and connections this process may have open.
enum DescriptorLimit {
    /// Raises the limit to what the system allows without asking: the output of each bot is followed over a connection of its
    /// own, and the usual 1024 is kept low only for programs that use `select`.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
