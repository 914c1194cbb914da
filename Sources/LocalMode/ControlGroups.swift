import Glibc
import Runtime

/// The places where this process may make control groups for bots: below its own, version 1 or 2, as the system lets it.
struct ControlGroups: Sendable, Hashable {
    /// One of the kernel's trees of groups.
    struct Hierarchy: Sendable, Hashable {
        /// Version 2: no list of its own in `/proc/self/cgroup`.
        var isUnified: Bool
        /// Those that limit something here.
        var controllers: Set<String>
        /// The folder in which groups are made.
        var parent: String
    }

    var hierarchies: [Hierarchy]

    /// None.
    static let none = ControlGroups(hierarchies: [])
    private static let used: Set<String> = ["memory", "pids", "cpu"]

    /// The limits that groups made here hold.
    var limits: Set<String> { hierarchies.reduce(into: []) { $0.formUnion($1.controllers) } }

    /// Tries what this process may do.
    static func probe() throws(LocalError) -> ControlGroups {
        guard let mounts = try SystemFile.read("/proc/self/mountinfo"),
            let own = try SystemFile.read("/proc/self/cgroup")
        else { return .none }
        return ControlGroups(
            hierarchies: hierarchies(
                mounts: String(decoding: mounts, as: UTF8.self),
                own: String(decoding: own, as: UTF8.self)
            ).compactMap { tried($0) }
        )
    }

    /// Where this process's own groups are, by the kernel's two lists.
    static func hierarchies(mounts: String, own: String) -> [Hierarchy] {
        var paths: [(controllers: Set<String>, path: String)] = []
        for line in own.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            paths.append((Set(parts[1].split(separator: ",").map(String.init)), String(parts[2])))
        }
        var found: [Hierarchy] = []
        for line in mounts.split(separator: "\n") {
            let halves = line.components(around: " - ")
            let fields = halves.0.split(separator: " ")
            let rest = halves.1.split(separator: " ")
            guard fields.count > 4, let type = rest.first, type == "cgroup" || type == "cgroup2" else { continue }
            let isUnified = type == "cgroup2"
            let options = Set((rest.last ?? "").split(separator: ",").map(String.init))
            guard
                let own = paths.first(where: {
                    isUnified
                        ? $0.controllers.isEmpty
                        : !$0.controllers.isDisjoint(with: used) && $0.controllers.isSubset(of: options)
                })
            else { continue }
            // In a container the mount shows a part of the tree, and the path counts from its root.
            var path = own.path
            let root = String(fields[3])
            if root != "/", path.hasPrefix(root) { path = String(path.dropFirst(root.count)) }
            while path.hasSuffix("/") { path.removeLast() }
            let hierarchy = Hierarchy(
                isUnified: isUnified,
                controllers: isUnified ? [] : own.controllers.intersection(used),
                parent: String(fields[4]) + path
            )
            if !found.contains(where: { $0.isUnified == isUnified && $0.controllers == hierarchy.controllers }) {
                found.append(hierarchy)
            }
        }
        return found
    }

    /// The hierarchy with what it really offers; nil when no group can be made in it.
    private static func tried(_ hierarchy: Hierarchy) -> Hierarchy? {
        let probe = "\(hierarchy.parent)/the0-probe-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        guard mkdir(probe, 0o755) == 0 else { return nil }
        defer { rmdir(probe) }
        guard access("\(probe)/cgroup.procs", W_OK) == 0 else { return nil }
        guard hierarchy.isUnified else { return hierarchy }
        var unified = hierarchy
        let offered = (try? SystemFile.read("\(probe)/cgroup.controllers")) ?? []
        unified.controllers = used.intersection(
            String(decoding: offered, as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init)
        )
        return unified
    }

    /// What to make for a run of this name.
    func orders(_ name: String, _ resources: Resources, processLimit: Int64) -> [GroupOrder] {
        hierarchies.map { hierarchy in
            GroupOrder(
                path: "\(hierarchy.parent)/the0-\(name)",
                settings: hierarchy.isUnified
                    ? unified(hierarchy.controllers, resources, processLimit)
                    : legacy(hierarchy.controllers, resources, processLimit)
            )
        }
    }

    private func unified(_ controllers: Set<String>, _ resources: Resources, _ processes: Int64) -> [GroupOrder.Setting]
    {
        var settings: [GroupOrder.Setting] = []
        if controllers.contains("memory") {
            settings.append(.init(file: "memory.max", value: "\(resources.memoryLimit)", limit: "memory"))
            settings.append(.init(file: "memory.swap.max", value: "0"))
        }
        if controllers.contains("pids") {
            settings.append(.init(file: "pids.max", value: "\(processes)", limit: "pids"))
        }
        if controllers.contains("cpu") {
            settings.append(
                .init(file: "cpu.max", value: "\(max(1000, resources.cpuLimit * 100)) 100000", limit: "cpu")
            )
        }
        return settings
    }

    private func legacy(_ controllers: Set<String>, _ resources: Resources, _ processes: Int64) -> [GroupOrder.Setting]
    {
        var settings: [GroupOrder.Setting] = []
        if controllers.contains("memory") {
            settings.append(.init(file: "memory.limit_in_bytes", value: "\(resources.memoryLimit)", limit: "memory"))
            settings.append(.init(file: "memory.memsw.limit_in_bytes", value: "\(resources.memoryLimit)"))
        }
        if controllers.contains("pids") {
            settings.append(.init(file: "pids.max", value: "\(processes)", limit: "pids"))
        }
        if controllers.contains("cpu") {
            settings.append(.init(file: "cpu.cfs_period_us", value: "100000"))
            settings.append(
                .init(file: "cpu.cfs_quota_us", value: "\(max(1000, resources.cpuLimit * 100))", limit: "cpu")
            )
        }
        return settings
    }
}

extension Substring {
    /// What stands before and after a separator's first place; all of it and nothing without one.
    fileprivate func components(around separator: String) -> (Substring, Substring) {
        var rest = self
        while !rest.isEmpty {
            if rest.hasPrefix(separator) { return (self[..<rest.startIndex], rest.dropFirst(separator.count)) }
            rest = rest.dropFirst()
        }
        return (self, "")
    }
}
