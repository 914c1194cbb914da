import CLinux
import Glibc
import Runtime
import Util

/// A run as its folder and the kernel tell. Reading changes nothing.
struct RunState: Sendable {
    /// What its supervisor is doing.
    enum Life: Sendable {
        /// There is none, and no bot was started.
        case unstarted
        /// It is starting the bot.
        case starting
        /// It looks after the bot.
        case supervised(RunStatus)
        /// It ended without a word; of what it looked after, processes may be left.
        case lost(RunStatus?)
        /// It has written down how the bot ended; for a moment it may still be there.
        case ended(Exit)
    }

    let folder: RunFolder
    let record: RunRecord
    let life: Life

    /// - Returns: nil when there is no such run, or not any more.
    static func read(_ folder: RunFolder) throws(LocalError) -> RunState? {
        guard let record = try RunRecord.read(folder) else { return nil }
        let life: Life
        // In the order in which they come to be, from the last to the first, or a change between two looks would be missed.
        if let exit = try Exit.read(folder) {
            life = .ended(exit)
        } else if let status = try RunStatus.read(folder) {
            if status.boot == (try ProcessIdentity.bootID()), status.supervisor.isRunning {
                life = .supervised(status)
            } else if let exit = try Exit.read(folder) {
                life = .ended(exit)
            } else {
                life = .lost(status)
            }
        } else if try isLocked(folder) {
            life = .starting
        } else if let status = try RunStatus.read(folder) {
            // It was written, and the supervisor ended, since the look above.
            if let exit = try Exit.read(folder) { life = .ended(exit) } else { life = .lost(status) }
        } else if !SystemFile.exists(folder.begun) {
            life = .unstarted
        } else if try isLocked(folder) {
            // It has come this far since the looks above.
            life = .starting
        } else if let exit = try Exit.read(folder) {
            life = .ended(exit)
        } else {
            life = .lost(try RunStatus.read(folder))
        }
        // Replaced meanwhile: what was read belongs to two runs.
        guard try RunRecord.read(folder)?.reference == record.reference else { return try read(folder) }
        return RunState(folder: folder, record: record, life: life)
    }

    private static func isLocked(_ folder: RunFolder) throws(LocalError) -> Bool {
        let descriptor = open(folder.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw .system("can't open", folder.lock)
        }
        defer { close(descriptor) }
        let answer = clinux_is_locked(descriptor)
        guard answer >= 0 else { throw .system("can't ask for the lock", folder.lock) }
        return answer == 1
    }

    /// The run as every backend tells of it.
    func observed() throws(LocalError) -> ObservedRun {
        let phase: ObservedRun.Phase
        switch life {
        case .unstarted, .starting: phase = .created
        case .supervised(let status): phase = .running(since: status.startedAt)
        case .ended(let exit): phase = .exited(exit)
        case .lost(let status): phase = .exited(try lostExit(status))
        }
        return ObservedRun(
            reference: record.reference,
            id: record.id,
            kind: record.kind,
            slot: record.slot,
            origin: .hash(record.hash),
            attempt: record.attempt,
            createdAt: record.createdAt,
            phase: phase
        )
    }

    /// The end of a run that nobody saw: as of the last trace it left, which is the same however often it is looked at.
    private func lostExit(_ status: RunStatus?) throws(LocalError) -> Exit {
        let isOtherBoot = record.boot != (try ProcessIdentity.bootID())
        let startedAt = status?.startedAt ?? record.createdAt
        var last = startedAt
        for path in [folder.status] + (try folder.generations().map { folder.output($0) }) {
            if let time = lastWrite(path) { last = max(last, time) }
        }
        return Exit(
            code: 137,
            startedAt: startedAt,
            finishedAt: last,
            platformError: isOtherBoot
                ? "the machine was started anew while it ran" : "the process that looked after it was killed"
        )
    }

    private func lastWrite(_ path: String) -> Timestamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Timestamp(
            nanosecondsSince1970: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        )
    }

    /// The processes that may be left of it.
    var tree: ProcessTree { ProcessTree(groups: record.groups.map { ControlGroup(path: $0) }) }
}
