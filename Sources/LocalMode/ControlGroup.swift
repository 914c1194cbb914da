import Glibc

/// One run's group in one hierarchy.
struct ControlGroup: Sendable, Hashable {
    let path: String

    /// Makes it and sets its limits.
    /// - Returns: what it limits; nil when it can't be made.
    static func make(_ order: GroupOrder) -> (group: ControlGroup, limits: [String])? {
        guard mkdir(order.path, 0o755) == 0 || errno == EEXIST else { return nil }
        let group = ControlGroup(path: order.path)
        var limits: [String] = []
        for setting in order.settings where group.write(setting.value, to: setting.file) {
            if let limit = setting.limit { limits.append(limit) }
        }
        return (group, limits)
    }

    /// Its members, also those that have ended and aren't reaped.
    var members: [Int32] {
        guard let text = try? SystemFile.read("\(path)/cgroup.procs") else { return [] }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    }

    /// Kills every member there is at the moment.
    func killAll() {
        if write("1", to: "cgroup.kill") { return }
        // No new ones meanwhile, where the group counts processes.
        _ = write("0", to: "pids.max")
        for pid in members {
            guard let identity = ProcessIdentity(running: pid), members.contains(pid) else { continue }
            identity.send(SIGKILL)
        }
    }

    /// How many processes the kernel killed here for want of memory; nil when this group doesn't count them.
    var memoryKills: Int? {
        for file in ["memory.events", "memory.oom_control"] {
            guard let text = try? SystemFile.read("\(path)/\(file)") else { continue }
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("oom_kill ") {
                return Int(line.dropFirst("oom_kill ".count))
            }
        }
        return nil
    }

    /// Removes it, once it has no member; none is a success.
    /// - Returns: whether it is gone.
    func remove() -> Bool { rmdir(path) == 0 || errno == ENOENT }

    /// The open list of members, for a process to join; nil when it can't be had.
    func openMembers() -> Int32? {
        let descriptor = open("\(path)/cgroup.procs", O_WRONLY | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }

    private func write(_ value: String, to file: String) -> Bool {
        let descriptor = open("\(path)/\(file)", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(value.utf8)
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }
}
