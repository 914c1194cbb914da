import Foundation
import Logging
import Logs
import Model
import ObjectStorage
import Synchronization
import TestSupport
import Util

@testable import Logs

/// A bucket in a folder that a test can have fail, at every call, before or after it took effect.
final class FaultyStorage: ObjectAppending, Sendable {
    enum Fault { case before, after }

    let inner: DirectoryObjectStorage
    private let script = Mutex<@Sendable (Int, String) -> Fault?>({ _, _ in nil })
    private let calls = Mutex(0)

    init(_ inner: DirectoryObjectStorage) { self.inner = inner }

    /// - Parameter script: told how many calls came before, and of what.
    func fail(_ script: @escaping @Sendable (Int, String) -> Fault?) {
        self.script.withLock { $0 = script }
        calls.withLock { $0 = 0 }
    }

    private func call<Value>(
        _ name: String,
        _ body: () async throws(ObjectStorageError) -> Value
    ) async throws(ObjectStorageError) -> Value {
        let number = calls.withLock { calls in
            defer { calls += 1 }
            return calls
        }
        let fault = script.withLock { $0 }(number, name)
        if fault == .before { throw ObjectStorageError(.unavailable, "no answer") }
        let value = try await body()
        if fault == .after { throw ObjectStorageError(.unavailable, "the answer was lost") }
        return value
    }

    func get(_ key: String, to file: String, limit: Int64) async throws(ObjectStorageError) -> ObjectInfo {
        try await inner.get(key, to: file, limit: limit)
    }

    func getBytes(_ key: String, limit: Int) async throws(ObjectStorageError) -> [UInt8] {
        try await inner.getBytes(key, limit: limit)
    }

    func put(_ key: String, file: String) async throws(ObjectStorageError) { try await inner.put(key, file: file) }

    func put(_ key: String, bytes: [UInt8], contentType: String) async throws(ObjectStorageError) {
        try await inner.put(key, bytes: bytes, contentType: contentType)
    }

    func info(_ key: String) async throws(ObjectStorageError) -> ObjectInfo? {
        try await call("info") { () throws(ObjectStorageError) in try await inner.info(key) }
    }

    func delete(_ key: String) async throws(ObjectStorageError) { try await inner.delete(key) }
    func list(prefix: String) async throws(ObjectStorageError) -> [ObjectInfo] { try await inner.list(prefix: prefix) }
    func check() async throws(ObjectStorageError) { try await inner.check() }

    func discardUnfinished(_ key: String) async throws(ObjectStorageError) {}

    func read(_ range: Range<Int64>, of object: ObjectInfo) async throws(ObjectStorageError) -> [UInt8] {
        try await call("read") { () throws(ObjectStorageError) in try await inner.read(range, of: object) }
    }

    func append(
        to key: String,
        base: ObjectInfo?,
        contentType: String,
        next: () async throws(ObjectStorageError) -> [UInt8]?
    ) async throws(ObjectStorageError) {
        try await call("append") { () throws(ObjectStorageError) in
            try await inner.append(to: key, base: base, contentType: contentType, next: next)
        }
    }
}

/// A spool and a bucket in temporary folders.
struct Place {
    let folder: TemporaryFolder
    let storage: FaultyStorage
    let executor: BlockingExecutor

    init() throws {
        folder = try TemporaryFolder()
        executor = try BlockingExecutor(name: "logs")
        try FileManager.default.createDirectory(atPath: folder.file("bucket"), withIntermediateDirectories: true)
        storage = FaultyStorage(DirectoryObjectStorage(root: folder.file("bucket"), executor: executor))
    }

    var spoolPath: String { folder.file("spool") }

    func spool(limit: Int = 1 << 30, ring: Int? = nil, segments: Int = 1 << 20) throws -> Spool {
        var options = Spool.Options(limit: limit, ring: ring)
        options.segmentSize = segments
        return try Spool(path: spoolPath, options: options, now: noon)
    }

    func storer() -> DayStorer { DayStorer(storage: storage, executor: executor) }

    func collector(
        _ follower: FakeFollower,
        _ spool: Spool,
        stores: Bool = true,
        policy: StorePolicy = StorePolicy(age: .milliseconds(1), pause: .milliseconds(1)),
        mostFollowed: Int = .max,
        finalReading: Duration = .seconds(10)
    ) throws -> LogCollector {
        let retry = try Backoff(initial: .milliseconds(1), maximum: .milliseconds(5))
        return LogCollector(
            follower: follower,
            spool: spool,
            storage: stores ? storage : nil,
            options: LogCollectorOptions(
                policy: policy,
                writeDelay: .milliseconds(1),
                mostFollowed: mostFollowed,
                followTurn: .milliseconds(1),
                followRetry: retry,
                storeRetry: retry,
                finalReading: finalReading
            ),
            executor: executor,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    /// The messages of a bot's lines in the object store, in their order; what is no message stands as it is.
    func stored(_ id: BotID, day: LogDay = LogDay(of: noon)) async throws -> [String] {
        guard try await storage.inner.info(day.key(of: id)) != nil else { return [] }
        let bytes = try await storage.inner.getBytes(day.key(of: id), limit: 1 << 30)
        return messages(bytes)
    }
}
