import CLinux
import Glibc
import Logging
public import Model
public import Runtime

extension LocalRunner: RunnerHousekeeping {
    /// Removes the state of bots that don't exist any more, and folders that an interrupted start or removal left.
    ///
    /// Only state of the kinds in ``LocalSettings/keptKinds`` is looked at: a runner of live bots doesn't know the schedules.
    /// - Parameter known: the ids of all bots of these kinds, whether they run or not.
    public func removeLeftovers(known: Set<BotID>) async throws(RunnerError) {
        do throws(LocalError) {
            try await removeStates(known: known)
            try await worker.run { () throws(LocalError) in try self.removeAbandoned() }
        } catch {
            throw error.runnerError(.unavailable, "removing leftovers")
        }
    }

    private func removeStates(known: Set<BotID>) async throws(LocalError) {
        let names = try await worker.run { () throws(LocalError) in try SystemFile.names(in: self.data.states) ?? [] }
        for name in names {
            let folder = StateFolder(path: "\(data.states)/\(name)")
            let owner = try await worker.run { () throws(LocalError) in try folder.readOwner() }
            guard let owner, settings.keptKinds.contains(owner.kind), !known.contains(owner.id) else { continue }
            // Nobody starts it meanwhile.
            guard let lock = try await tryLock(DataFolder.stateName(kind: owner.kind, id: owner.id)) else { continue }
            defer { withExtendedLifetime(lock) {} }
            let removed = try await worker.run { () throws(LocalError) in
                guard try !self.hasRun(of: owner.kind, id: owner.id) else { return false }
                try FolderTree.remove(folder.path)
                return true
            }
            if removed {
                logger.info(
                    "removed the state of a bot that is gone",
                    metadata: ["bot": "\(owner.id.text.escapedForMessage)"]
                )
            }
        }
    }

    /// Whether anything is there that was run for it; blocks.
    private func hasRun(of kind: ExecutableKind, id: BotID) throws(LocalError) -> Bool {
        guard kind == .scheduled else { return SystemFile.exists(data.run(DataFolder.name(of: kind, id: id)).path) }
        return try states(of: kind).contains { $0.record.id == id }
    }

    /// How old a folder without a name has to be before its maker counts as gone.
    private static let age = 3600

    private func removeAbandoned() throws(LocalError) {
        for name in try SystemFile.names(in: data.locks) ?? [] where !SystemFile.exists(data.run(name).path) {
            let path = "\(data.locks)/\(name)"
            guard let lock = try RunLock.take(path) else { continue }
            if !SystemFile.exists(data.run(name).path) { RunLock.removeFile(path) }
            withExtendedLifetime(lock) {}
        }
        for name in try SystemFile.names(in: data.staging) ?? [] {
            let path = "\(data.staging)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > LocalRunner.age else { continue }
            try FolderTree.remove(path)
        }
    }
}
