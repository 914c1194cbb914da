public import Archive
import Logging
public import Model
public import ObjectStorage
public import Runtime
public import Util

/// Brings bots' code to this machine and keeps it: a folder of tars named after their content.
///
/// A version that is known is lent without asking the object store, since versions never change: a bot whose code is here starts
/// while the object store is down. What isn't known is downloaded, checked and repacked once, however many bots ask for it
/// and however many processes share the folder. A failure is kept nowhere. What is lent is never removed.
public final class CodeCache: CodeProvider {
    private let storage: (any ObjectStorage)?
    private let storageName: String
    private let options: CodeCacheOptions
    private let blobs: BlobFolder
    private let references: ReferenceFolder
    private let locks: String
    private let workspace: Workspace
    private let worker: Worker
    private let flights = SingleFlight<BlobLease>()
    private let logger = Logger(label: "code-cache")

    /// Opens a cache; other processes may have it open too. Removes what killed ones have left half-done.
    /// - Parameters:
    ///   - directory: the cache's folder, made when missing; for this cache's files only.
    ///   - storage: the bucket with the code archives; nil when all code lies in folders of this machine.
    ///   - storageName: what tells this bucket from others, such as a configuration's description; the same key may mean
    ///     something else in another bucket.
    ///   - options: owner, sizes, limits.
    ///   - executor: where calls block while they read and write.
    /// - Throws: `RunnerError` with code `codeUnavailable` when the folder can't be used.
    public static func open(
        directory: String,
        storage: (any ObjectStorage)?,
        storageName: String,
        options: CodeCacheOptions = CodeCacheOptions(),
        executor: BlockingExecutor
    ) async throws(RunnerError) -> CodeCache {
        do { try UTF8Locale.load() } catch {
            throw RunnerError(.codeUnavailable, error.message, cause: error, isRetryable: false)
        }
        let worker = Worker(executor: executor)
        let workspace = try await worker.run { () throws(RunnerError) in
            for folder in ["", "/blobs", "/refs", "/locks", "/work"] { try makeFolder(directory + folder) }
            let workspace = try Workspace.open(in: directory + "/work")
            let blobs = BlobFolder(path: directory + "/blobs")
            try blobs.removeRemains()
            try ReferenceFolder(path: directory + "/refs").removeDangling { blobs.contains($0) }
            return workspace
        }
        return CodeCache(directory, storage, storageName, options, workspace, worker)
    }

    private init(
        _ directory: String,
        _ storage: (any ObjectStorage)?,
        _ storageName: String,
        _ options: CodeCacheOptions,
        _ workspace: Workspace,
        _ worker: Worker
    ) {
        self.storage = storage
        self.storageName = storageName
        self.options = options
        self.workspace = workspace
        self.worker = worker
        blobs = BlobFolder(path: directory + "/blobs")
        references = ReferenceFolder(path: directory + "/refs")
        locks = directory + "/locks"
    }

    /// Lends a version's code, see `CodeProvider/withCode(of:_:)`.
    public func withCode<Result: Sendable>(
        of version: CustomBotVersion,
        _ body: @Sendable (CodeArchive) async throws(RunnerError) -> Result
    ) async throws(RunnerError) -> Result {
        let lease = try await lease(of: version)
        // The lease ends with its last reference.
        defer { withExtendedLifetime(lease) {} }
        return try await body(lease.archive)
    }

    /// How many wait for code that is being fetched; for tests.
    var waiting: Int { flights.waiting }

    private func lease(of version: CustomBotVersion) async throws(RunnerError) -> BlobLease {
        let reference = reference(to: version)
        if let known = try await known(reference) { return known }
        return try await flights.value(for: reference) { [self] () throws(RunnerError) in
            // Another process may be at it, or has just done it.
            let lock = try await FileLock.acquire("\(locks)/\(reference)", worker: worker)
            defer { withExtendedLifetime(lock) {} }
            if let known = try await known(reference) { return known }
            let lease = try await fetch(version, reference)
            await makeRoom()
            return lease
        }
    }

    /// What stands for a version: what its code is taken from, and what is made of it.
    private func reference(to version: CustomBotVersion) -> String {
        let owner = "\(options.owner.uid):\(options.owner.gid)"
        switch version.code {
        case .object(let key): return Digest.of(["object", owner, storageName, key, version.version])
        case .directory(_, let digest): return Digest.of(["directory", owner, digest])
        }
    }

    private func known(_ reference: String) async throws(RunnerError) -> BlobLease? {
        try await worker.run { [references, blobs] () throws(RunnerError) in
            guard let blob = try references.blob(of: reference) else { return nil }
            return try blobs.lease(blob)
        }
    }

    private func fetch(_ version: CustomBotVersion, _ reference: String) async throws(RunnerError) -> BlobLease {
        let started = ContinuousClock.now
        let lease: BlobLease
        do throws(RunnerError) {
            switch version.code {
            case .object(let key): lease = try await download(key)
            case .directory(let path, let digest): lease = try await pack(CodeFolder(path: path), digest)
            }
        } catch {
            throw error.naming(version)
        }
        try await worker.run { [references] () throws(RunnerError) in
            try references.set(reference, blob: lease.digest)
        }
        logger.info(
            "code is here",
            metadata: [
                "code": "\(version.place)", "version": "\(version.version)", "bytes": "\(lease.archive.size)",
                "files": "\(lease.archive.files.count)", "took": "\(GoDuration.string(started.duration(to: .now)))",
            ]
        )
        return lease
    }

    private func download(_ key: String) async throws(RunnerError) -> BlobLease {
        guard let storage else {
            throw RunnerError(
                .codeUnavailable,
                "the code lies in an object store, but none is configured: MINIO_ENDPOINT or --objects names it",
                isRetryable: false
            )
        }
        let zip = workspace.newFile()
        defer { zip.remove() }
        do throws(ObjectStorageError) {
            _ = try await storage.get(key, to: zip.path, limit: options.maximumDownload)
        } catch {
            throw RunnerError(error)
        }
        return try await worker.run { [self] () throws(RunnerError) in
            try keep { (path) throws(ArchiveError) in
                try repackZip(at: zip.path, to: path, owner: options.owner, limits: options.limits)
            }
        }
    }

    private func pack(_ folder: CodeFolder, _ digest: String) async throws(RunnerError) -> BlobLease {
        try await worker.run { [self] () throws(RunnerError) in
            let changed = RunnerError(
                .codeUnavailable,
                "\(folder.path.quotedForError) has changed since it was last read"
            )
            let before = try folder.fingerprint()
            guard try folder.digest() == digest else { throw changed }
            let entries = Set(try folder.entries().map(\.path))
            let lease = try keep { (path) throws(ArchiveError) in
                try packDirectory(
                    at: folder.path,
                    to: path,
                    owner: options.owner,
                    limits: options.limits,
                    excluding: { !entries.contains($0) }
                )
            }
            guard try folder.fingerprint() == before else { throw changed }
            return lease
        }
    }

    /// Has a tar made and takes it in under its content's name.
    private func keep(_ make: (String) throws(ArchiveError) -> ArchiveSummary) throws(RunnerError) -> BlobLease {
        let tar = workspace.newFile()
        defer { tar.remove() }
        let summary: ArchiveSummary
        do throws(ArchiveError) { summary = try make(tar.path) } catch { throw RunnerError(error) }
        return try blobs.insert(tar: tar.path, files: summary.files)
    }

    /// Removes what hasn't been used for longest until the rest is within the capacity.
    private func makeRoom() async {
        do throws(RunnerError) {
            let left = try await worker.run { [blobs, options] () throws(RunnerError) in
                try blobs.evict(capacity: options.capacity)
            }
            guard left > options.capacity else { return }
            logger.warning(
                "the code in use takes more room than the cache may have",
                metadata: ["bytes": "\(left)", "capacity": "\(options.capacity)"]
            )
        } catch {
            // What was fetched is here all the same.
            logger.warning("the code cache can't be cleared up", metadata: ["error": "\(error)"])
        }
    }
}

/// What a code cache holds and takes.
public struct CodeCacheOptions: Sendable {
    /// Who owns the files in the tars: the bots' user.
    public var owner: FileOwnership
    /// How many bytes all tars may have together; what is lent at the moment may exceed it.
    public var capacity: Int64
    /// How many bytes a code archive may have as it lies in the object store.
    public var maximumDownload: Int64
    /// What may come out of a code archive.
    public var limits: ArchiveLimits

    /// The user 1000, 5 GiB in all and 512 MiB for one archive, unless given otherwise.
    public init(
        owner: FileOwnership = FileOwnership(uid: 1000, gid: 1000),
        capacity: Int64 = 5 << 30,
        maximumDownload: Int64 = 512 << 20,
        limits: ArchiveLimits = ArchiveLimits()
    ) {
        self.owner = owner
        self.capacity = capacity
        self.maximumDownload = maximumDownload
        self.limits = limits
    }
}
