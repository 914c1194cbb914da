import Control
import Glibc
import Model

/// What of a schedule's state is asked for again and again: little, however long its history is.
struct StateSummary: Sendable {
    let id: BotID
    let cursor: ScheduleCursor
    let unfinished: [RunRecord]

    init(_ state: ScheduleState) {
        id = state.id
        cursor = state.cursor
        unfinished = state.runs.filter { $0.phase != .ended }
    }
}

/// Tells one content of a file that is only ever replaced from another.
struct FileStamp: Equatable, Sendable {
    private let identity: FileIdentity
    private let state: FileState
    private let changed: Int64

    /// How long ago a file must have been written for its stamp to tell it from any that comes after, in nanoseconds: until then
    /// another may get the same number from the file system, in the same tick of its clock.
    private static let settled: Int64 = 1_000_000_000

    /// The stamp of what is at a path; nil when that is nothing, or was written a moment ago.
    init?(_ path: String, clock: FileClock) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        state = FileState(status)
        changed = FileState.nanoseconds(status.st_ctim)
        guard clock.wall() - max(changed, state.modified) > Self.settled else { return nil }
    }
}
