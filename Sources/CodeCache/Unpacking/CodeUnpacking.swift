public import Archive
public import Logging
public import ObjectStorage
public import Runtime
public import Util

/// Brings a bot's code, and its state where there is none yet, into folders: what the init container of a Pod does.
///
/// Archives are checked, repacked and unpacked by the same code that other backends use. Everything is complete beside its
/// place before any of it is moved there, so whatever instant it is killed at, it is done right when it is run again.
public struct CodeUnpacking: Sendable {
    /// The name in the code's folder under which archives are worked on. It stays there, empty, and tells that the folder was
    /// filled here and may be filled anew.
    public static let workspace = ".the0-unpack"

    private let reader: ObjectLinkReader
    private let worker: Worker
    private let options: CodeUnpackingOptions
    private let logger: Logger

    /// An unpacking.
    /// - Parameters:
    ///   - reader: fetches the archives.
    ///   - executor: where calls block while they read and write.
    ///   - options: limits.
    ///   - logger: told what was brought.
    public init(
        reader: ObjectLinkReader,
        executor: BlockingExecutor,
        options: CodeUnpackingOptions = CodeUnpackingOptions(),
        logger: Logger
    ) {
        self.reader = reader
        worker = Worker(executor: executor)
        self.options = options
        self.logger = logger
    }

    /// Restores the state if there is none, then replaces what lies in the code's folder.
    /// - Parameters:
    ///   - order: what to bring.
    ///   - target: the code's folder, which has to be there.
    ///   - ownsTarget: whether the folder may be emptied whatever lies in it; else only one that is empty or was filled here.
    ///   - state: the state's folder, which has to be there if state is to be restored.
    /// - Throws: `RunnerError` with code `codeInvalid` for an archive that can't be used, `codeUnavailable` for one that can't be
    ///   had, `refused` for folders that can't be filled. The code is in its folder only after the state is all there.
    public func run(
        _ order: UnpackOrder,
        into target: String,
        ownsTarget: Bool,
        state: String
    ) async throws(RunnerError) {
        try archiving("") { () throws(ArchiveError) in try UTF8Locale.load() }
        let work = "\(target)/\(Self.workspace)"
        try await worker.run { () throws(RunnerError) in
            try Self.prepare(target, ownsTarget: ownsTarget)
            try makeFolder(work)
        }
        do throws(RunnerError) {
            let restoring = StateRestoring(reader: reader, worker: worker, options: options, logger: logger)
            try await restoring.run(order.state, into: state, work: work)
            try await bringCode(order, into: target, work: work)
        } catch {
            await clear(work)
            throw error
        }
    }

    private static func prepare(_ target: String, ownsTarget: Bool) throws(RunnerError) {
        let names = try archiving("the folder for the code can't be used") { () throws(ArchiveError) in
            let content = try FolderContent(of: target)
            let names = try content.names()
            if ownsTarget || names.contains(Self.workspace) { try content.remove(Self.workspace) }
            return names
        }
        guard ownsTarget || names.isEmpty || names.contains(Self.workspace) else {
            throw RunnerError(
                .refused,
                "\(target.quotedForError) is neither empty nor was it filled by an earlier unpacking: what is in it would be lost"
            )
        }
    }

    /// The mark itself stays: what lies beside it is as it was, or half of what was to come.
    private func clear(_ work: String) async {
        do throws(RunnerError) {
            // Also when the task was cancelled.
            try archiving("") { () throws(ArchiveError) in try FolderContent(of: work).removeAll() }
        } catch {
            logger.warning("what was worked on can't be removed", metadata: ["error": "\(error)"])
        }
    }

    private func bringCode(_ order: UnpackOrder, into target: String, work: String) async throws(RunnerError) {
        let size: Int64
        do throws(ObjectStorageError) {
            size = try await reader.get(
                order.code,
                to: "\(work)/code.zip",
                limit: options.maximumDownload,
                sha256: order.sha256
            )
        } catch {
            throw RunnerError(error).saying("the code can't be fetched")
        }
        let files = try await worker.run { () throws(RunnerError) in
            let (files, names) = try archiving("the code can't be unpacked") { () throws(ArchiveError) in
                // The owner doesn't matter: files belong to whoever unpacks them, the bot's user.
                let summary = try repackZip(
                    at: "\(work)/code.zip",
                    to: "\(work)/code.tar",
                    owner: .root,
                    limits: options.limits
                )
                // As soon as it isn't needed any more: the volume has a limit.
                try FolderContent(of: work).remove("code.zip")
                try unpack(tar: "\(work)/code.tar", into: "\(work)/code", limits: options.limits)
                try FolderContent(of: work).remove("code.tar")
                return (summary.files.count, try FolderContent(of: "\(work)/code").names())
            }
            guard !names.contains(Self.workspace) else {
                throw RunnerError(
                    .codeInvalid,
                    "the code can't be unpacked: its entry \(Self.workspace) has a name of our own"
                )
            }
            try archiving("the code can't be put in its place") { () throws(ArchiveError) in
                let content = try FolderContent(of: target)
                try content.removeAll(but: [Self.workspace])
                try FolderContent(of: "\(work)/code").moveAll(into: content)
                try FolderContent(of: work).removeAll()
            }
            return files
        }
        logger.info("code is here", metadata: ["bytes": "\(size)", "files": "\(files)"])
    }
}

/// What may be fetched, and what may come out of it.
public struct CodeUnpackingOptions: Sendable {
    /// How many bytes a code archive may have.
    public var maximumDownload: Int64
    /// What may come out of a code archive.
    public var limits: ArchiveLimits
    /// How many bytes an archive of state may have.
    public var maximumStateDownload: Int64
    /// What may come out of an archive of state.
    public var stateLimits: ArchiveLimits

    /// As code archives have it elsewhere; for state 2 GiB, and 8 GiB in 100,000 entries unpacked, unless given otherwise.
    public init(
        maximumDownload: Int64 = 512 << 20,
        limits: ArchiveLimits = ArchiveLimits(),
        maximumStateDownload: Int64 = 2 << 30,
        stateLimits: ArchiveLimits = ArchiveLimits(maxEntries: 100_000, maxTotalBytes: 8 << 30)
    ) {
        self.maximumDownload = maximumDownload
        self.limits = limits
        self.maximumStateDownload = maximumStateDownload
        self.stateLimits = stateLimits
    }
}

/// Works on archives and folders, with errors that say what for.
func archiving<Value>(_ what: String, _ call: () throws(ArchiveError) -> Value) throws(RunnerError) -> Value {
    do throws(ArchiveError) { return try call() } catch {
        throw what.isEmpty ? RunnerError(error) : RunnerError(error).saying(what)
    }
}

extension RunnerError {
    /// The same failure with what it came of in front.
    func saying(_ what: String) -> RunnerError {
        RunnerError(code, "\(what): \(message)", cause: cause, isRetryable: isRetryable)
    }
}
