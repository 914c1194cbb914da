import Glibc

/// The processes of a run, whoever their parent is by now.
struct ProcessTree: Sendable {
    /// The groups they were put in.
    let groups: [ControlGroup]

    /// Kills everything that descends from this process or is in the groups, until nothing is left.
    ///
    /// - Parameters:
    ///   - reap: takes note of children that have ended, which would otherwise stay members of their groups.
    /// - Returns: whether all are gone.
    func endDescendants(within limit: Duration, reap: () -> Void) -> Bool {
        end(within: limit, reap: reap) { () throws(LocalError) in try ProcessTable.descendants(of: [getpid()]) }
    }

    /// The same for a run whose supervisor is gone: by its groups, by the mark in the environment, and by what descends from
    /// those found.
    /// - Parameter bot: the bot's own process.
    func endOrphans(_ bot: ProcessIdentity?, marker: String, within limit: Duration) -> Bool {
        end(within: limit, reap: {}) { () throws(LocalError) in try orphans(bot, marker: marker) }
    }

    /// What is left of a run whose supervisor is gone.
    func orphans(_ bot: ProcessIdentity?, marker: String) throws(LocalError) -> [ProcessIdentity] {
        var found = Set(try ProcessTable.withEnvironment(marker))
        if let bot, bot.isRunning { found.insert(bot) }
        for group in groups { found.formUnion(group.members.compactMap { ProcessIdentity(running: $0) }) }
        found.formUnion(try ProcessTable.descendants(of: Set(found.map(\.pid))))
        return Array(found)
    }

    private func end(
        within limit: Duration,
        reap: () -> Void,
        _ find: () throws(LocalError) -> [ProcessIdentity]
    ) -> Bool {
        let deadline = ContinuousClock.now + limit
        var pause: UInt32 = 200
        while true {
            for group in groups where !group.members.isEmpty { group.killAll() }
            let found: [ProcessIdentity]
            do throws(LocalError) { found = try find() } catch { return false }
            for process in found { process.send(SIGKILL) }
            reap()
            let members = groups.flatMap(\.members).contains { ProcessIdentity(running: $0) != nil }
            if found.isEmpty, !members { return true }
            guard ContinuousClock.now < deadline else { return false }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    /// Removes the groups. A group whose last member was just reaped may be busy for a moment.
    func removeGroups() -> Bool {
        for _ in 0..<100 {
            if groups.allSatisfy({ $0.remove() }) { return true }
            usleep(2000)
        }
        return false
    }
}
