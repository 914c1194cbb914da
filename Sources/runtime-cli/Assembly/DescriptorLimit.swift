import Glibc
import Logging

/// How many files and connections this process may have open.
enum DescriptorLimit {
    /// What is used beside one connection for each followed bot, with room to spare: without a descriptor left the process can't
    /// go on, as the library that runs its tasks ends it.
    private static let reserve = 192
    /// What fewer don't suffice for.
    static let least = 256

    /// Raises the limit to what the system allows without asking: the output of each bot is followed over a connection of its
    /// own, and the usual 1024 is kept low only for programs that use `select`.
    static func raise(_ logger: Logger) {
        guard var limit = current() else { return }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        guard limit.rlim_cur < least else { return }
        logger.warning(
            "too few files may be open for reliable work",
            metadata: ["limit": "\(limit.rlim_cur)", "needed": "\(least)", "cure": "ulimit -n, LimitNOFILE"]
        )
    }

    /// How many bots' output may be followed at once.
    static var mostFollowed: Int {
        guard let limit = current() else { return .max }
        return max(16, (Int(clamping: limit.rlim_cur) - reserve) / 2)
    }

    private static func current() -> rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
