import CodeCache
import Foundation
import Model
import ObjectStorage
import Runtime
import Synchronization
import TestSupport
import Util

/// A bucket in a folder, a cache folder, and what happens in them.
final class Fixture: Sendable {
    let folder: TemporaryFolder
    let storage: WatchedStorage
    let executor: BlockingExecutor
    let cacheFolder: String

    init() throws {
        folder = try TemporaryFolder()
        executor = try BlockingExecutor(name: "code")
        try FileManager.default.createDirectory(atPath: folder.file("bucket"), withIntermediateDirectories: true)
        storage = WatchedStorage(DirectoryObjectStorage(root: folder.file("bucket"), executor: executor))
        cacheFolder = folder.file("cache")
    }

    func cache(
        _ options: CodeCacheOptions = CodeCacheOptions(),
        at place: String? = nil
    ) async throws -> CodeCache {
        try await CodeCache.open(
            directory: place ?? cacheFolder,
            storage: storage,
            storageName: "bucket",
            options: options,
            executor: executor
        )
    }

    func store(_ key: String, _ entries: [ZipEntry]) async throws {
        try await storage.put(key, bytes: makeZip(entries), contentType: "application/zip")
    }

    /// All files below the cache's folder, without the locks and folders.
    func keptFiles() throws -> [String] {
        let found = FileManager.default.enumerator(atPath: cacheFolder)?.compactMap { $0 as? String } ?? []
        return found.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(cacheFolder)/\(name)", isDirectory: &isFolder)
                && !isFolder.boolValue && !name.hasSuffix(".lock")
        }.sorted()
    }

    func keptTars() throws -> [String] { try keptFiles().filter { $0.hasSuffix(".tar") } }

    static func version(_ key: String, _ version: String = "1.0.0") -> CustomBotVersion {
        CustomBotVersion(
            version: version,
            code: .object(key: key),
            config: CustomBotConfig(name: "bot", runtime: "python3.11", entrypoints: ["bot": "main.py"])
        )
    }

    static func version(folder path: String, digest: String) -> CustomBotVersion {
        CustomBotVersion(
            version: "dev",
            code: .directory(path: path, digest: digest),
            config: CustomBotConfig(name: "bot", runtime: "python3.11", entrypoints: ["bot": "main.py"])
        )
    }
}

/// A bucket that counts, fails and waits as a test says.
final class WatchedStorage: ObjectStorage {
    private struct State {
        var gets = 0
        var cancelled = 0
        var failure: ObjectStorageError?
        var gate: AsyncStream<Void>?
    }

    private let base: DirectoryObjectStorage
    private let state = Mutex(State())

    init(_ base: DirectoryObjectStorage) {
        self.base = base
    }

    var gets: Int { state.withLock { $0.gets } }
    var cancelled: Int { state.withLock { $0.cancelled } }

    func fail(with error: ObjectStorageError?) { state.withLock { $0.failure = error } }

    /// Downloads wait from now on, until what is returned is finished.
    func close() -> AsyncStream<Void>.Continuation {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        state.withLock { $0.gate = stream }
        continuation.onTermination = { [self] _ in state.withLock { $0.gate = nil } }
        return continuation
    }

    func get(_ key: String, to file: String, limit: Int64) async throws(ObjectStorageError) -> ObjectInfo {
        let (gate, failure) = state.withLock { state in
            state.gets += 1
            return (state.gate, state.failure)
        }
        if let gate { for await _ in gate {} }
        if Task.isCancelled {
            state.withLock { $0.cancelled += 1 }
            throw ObjectStorageError(.cancelled, "cancelled")
        }
        if let failure { throw failure }
        return try await base.get(key, to: file, limit: limit)
    }

    func getBytes(_ key: String, limit: Int) async throws(ObjectStorageError) -> [UInt8] {
        try await base.getBytes(key, limit: limit)
    }
    func put(_ key: String, file: String) async throws(ObjectStorageError) { try await base.put(key, file: file) }
    func put(_ key: String, bytes: [UInt8], contentType: String) async throws(ObjectStorageError) {
        try await base.put(key, bytes: bytes, contentType: contentType)
    }
    func info(_ key: String) async throws(ObjectStorageError) -> ObjectInfo? { try await base.info(key) }
    func delete(_ key: String) async throws(ObjectStorageError) { try await base.delete(key) }
    func list(prefix: String) async throws(ObjectStorageError) -> [ObjectInfo] { try await base.list(prefix: prefix) }
    func check() async throws(ObjectStorageError) { try await base.check() }
}
