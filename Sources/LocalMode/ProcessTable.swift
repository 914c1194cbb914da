import Glibc

/// Finds the processes of a bot among all of the machine.
enum ProcessTable {
    /// The numbers of all processes there are.
    static func all() throws(LocalError) -> [Int32] {
        guard let names = try SystemFile.names(in: "/proc") else { throw .system("can't list", "/proc", ENOENT) }
        return names.compactMap { Int32($0) }
    }

    /// Everything that descends from some processes, without these themselves; what has ended is left out.
    static func descendants(of roots: Set<Int32>) throws(LocalError) -> [ProcessIdentity] {
        var children: [Int32: [ProcessLine]] = [:]
        for pid in try all() {
            if let line = ProcessLine(pid: pid) { children[line.parent, default: []].append(line) }
        }
        var found: [ProcessIdentity] = []
        var pending = Array(roots)
        var seen = roots
        while let parent = pending.popLast() {
            for child in children[parent] ?? [] where seen.insert(child.identity.pid).inserted {
                pending.append(child.identity.pid)
                if child.isRunning { found.append(child.identity) }
            }
        }
        return found
    }

    /// The processes whose environment, as they were started with, has this entry.
    static func withEnvironment(_ entry: String) throws(LocalError) -> [ProcessIdentity] {
        let wanted = Array(entry.utf8)
        var found: [ProcessIdentity] = []
        for pid in try all() {
            // Read twice: the number may change hands between.
            guard let identity = ProcessIdentity(running: pid),
                // Not readable: another user's, or gone.
                let environment = try? SystemFile.read("/proc/\(pid)/environ"),
                environment.split(separator: 0).contains(where: { $0.elementsEqual(wanted) }),
                identity.isRunning
            else { continue }
            found.append(identity)
        }
        return found
    }
}
