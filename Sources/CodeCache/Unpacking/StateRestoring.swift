import Archive
import Glibc
import Logging
import ObjectStorage
import Runtime

/// Restores a bot's state into its folder, whole or not at all.
///
/// The steps: unpack beside the place, give the whole a name that says that it is whole, move it up. Killed before the name is
/// given, it begins anew; killed after it, it moves up what is left, without asking for the archive again. So a bot never
/// starts with half a state, and no state that a bot has written is ever overwritten.
struct StateRestoring: Sendable {
    /// What is being unpacked, in the state's folder.
    static let partial = ".the0-restoring"
    /// What is whole and is being moved up.
    static let whole = ".the0-restored"
    /// What an empty ext4 volume has.
    private static let lostAndFound = "lost+found"

    let reader: ObjectLinkReader
    let worker: Worker
    let options: CodeUnpackingOptions
    let logger: Logger

    /// Restores the state unless there is one.
    /// - Parameters:
    ///   - link: where the archive is; nil: there is nothing to restore. That the object isn't there is a success: nothing was
    ///     ever saved.
    ///   - folder: the state's folder; may be missing when there is nothing to restore.
    ///   - work: a folder for what is only needed meanwhile.
    func run(_ link: ObjectLink?, into folder: String, work: String) async throws(RunnerError) {
        let isEmpty = try await worker.run { () throws(RunnerError) in
            guard link != nil || access(folder, F_OK) == 0 else { return true }
            return try archiving(Self.failure) { () throws(ArchiveError) in try Self.resume(in: folder) }
        }
        guard let link, isEmpty else { return }
        let size: Int64
        do throws(ObjectStorageError) {
            size = try await reader.get(link, to: "\(work)/state.tar.gz", limit: options.maximumStateDownload)
        } catch  where error.code == .notFound || error.code == .noBucket {
            logger.info("no state was saved yet: the bot begins without")
            return
        } catch {
            throw RunnerError(error).saying(Self.failure)
        }
        try await worker.run { [options] () throws(RunnerError) in
            let names = try archiving(Self.failure) { () throws(ArchiveError) in
                try Self.unpackBeside(folder, work: work, limits: options.stateLimits)
            }
            if let name = names.first(where: { [Self.partial, Self.whole].contains($0) }) {
                try archiving("") { () throws(ArchiveError) in try FolderContent(of: folder).remove(Self.partial) }
                throw RunnerError(.codeInvalid, "\(Self.failure): its entry \(name) has a name of our own")
            }
            try archiving(Self.failure) { () throws(ArchiveError) in
                let content = try FolderContent(of: folder)
                // What is called whole has to be whole after a power cut too. Not every file's own fsync: there may be
                // thousands. (syncfs(2), for one file system, is among what Swift doesn't import.)
                sync()
                try content.move(Self.partial, into: content, as: Self.whole)
                try Self.finish(in: folder)
            }
        }
        logger.info("state is restored", metadata: ["bytes": "\(size)"])
    }

    private static let failure = "the bot's state can't be restored, and without it the bot isn't started"

    /// Finishes or undoes what was broken off.
    /// - Returns: whether there is no state.
    private static func resume(in folder: String) throws(ArchiveError) -> Bool {
        let content = try FolderContent(of: folder)
        if try content.names().contains(whole) { try finish(in: folder) }
        try content.remove(partial)
        return try content.names().allSatisfy { $0 == lostAndFound }
    }

    private static func finish(in folder: String) throws(ArchiveError) {
        let content = try FolderContent(of: folder)
        try FolderContent(of: "\(folder)/\(whole)").moveAll(into: content)
        try content.remove(whole)
    }

    /// - Returns: the names at the top of the archive.
    private static func unpackBeside(
        _ folder: String,
        work: String,
        limits: ArchiveLimits
    ) throws(ArchiveError) -> [String] {
        // A tar has a header and padding for each entry, and may have more blocks for a long name.
        let overhead = Int64(clamping: limits.maxEntries) * 4096
        try gunzip(at: "\(work)/state.tar.gz", to: "\(work)/state.tar", limit: limits.maxTotalBytes + overhead)
        try FolderContent(of: work).remove("state.tar.gz")
        // On an error it removes what it made.
        try unpack(tar: "\(work)/state.tar", into: "\(folder)/\(partial)", limits: limits)
        try FolderContent(of: work).remove("state.tar")
        return try FolderContent(of: "\(folder)/\(partial)").names()
    }
}
