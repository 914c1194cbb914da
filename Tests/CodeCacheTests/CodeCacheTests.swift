import Archive
import Foundation
import Model
import ObjectStorage
import Runtime
import TestSupport
import Testing

@testable import CodeCache

@Suite(.timeLimit(.minutes(1))) struct CodeCacheTests {
    private let fixture: Fixture
    private var storage: WatchedStorage { fixture.storage }

    init() throws {
        fixture = try Fixture()
    }

    @Test func lendsTheTarOfAnArchive() async throws {
        try await fixture.store("bots/a.zip", [.file("main.py", "print(1)"), .file("lib/x.py", "x = 1")])
        let cache = try await fixture.cache()
        let archive = try await cache.withCode(of: Fixture.version("bots/a.zip")) { $0 }
        #expect(archive.files == ["main.py", "lib/x.py"])
        let content = try Data(contentsOf: URL(fileURLWithPath: archive.path))
        #expect(Int64(content.count) == archive.size)
        #expect(try readFile(named: "lib/x.py", inTar: Array(content), limit: 100) == Array("x = 1".utf8))
    }

    @Test func f27FiftyBotsOfOneVersionCauseOneDownload() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        let cache = try await fixture.cache()
        let gate = storage.close()
        let paths = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 {
                group.addTask { try await cache.withCode(of: Fixture.version("a.zip")) { $0.path } }
            }
            while cache.waiting < 50 { await Task.yield() }
            gate.finish()
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(paths.count == 1)
        #expect(storage.gets == 1)
        #expect(try fixture.keptTars().count == 1)
    }

    @Test func twoCachesOfOneFolderDownloadOnce() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        let caches = [try await fixture.cache(), try await fixture.cache()]
        let gate = storage.close()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for cache in caches {
                for _ in 0..<5 {
                    group.addTask { _ = try await cache.withCode(of: Fixture.version("a.zip")) { $0 } }
                }
            }
            while caches.contains(where: { $0.waiting < 5 }) { await Task.yield() }
            gate.finish()
            try await group.waitForAll()
        }
        #expect(storage.gets == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.cacheFolder + "/locks").isEmpty)
    }

    @Test func aWaiterThatIsCancelledLeavesTheOthersAlone() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        let cache = try await fixture.cache()
        let gate = storage.close()
        let first = Task { try await cache.withCode(of: Fixture.version("a.zip")) { $0 } }
        let second = Task { try await cache.withCode(of: Fixture.version("a.zip")) { $0 } }
        while cache.waiting < 2 || storage.gets < 1 { await Task.yield() }
        first.cancel()
        let error = await #expect(throws: RunnerError.self) { try await first.value }
        #expect(error?.code == .cancelled)
        gate.finish()
        #expect(try await second.value.files == ["main.py"])
        #expect(storage.cancelled == 0)
        #expect(storage.gets == 1)
    }

    @Test func whenNobodyWaitsAnyMoreTheDownloadEndsAndLeavesNothing() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        let cache = try await fixture.cache()
        let gate = storage.close()
        let waiters = (0..<3).map { _ in Task { try await cache.withCode(of: Fixture.version("a.zip")) { $0 } } }
        while cache.waiting < 3 || storage.gets < 1 { await Task.yield() }
        for waiter in waiters { waiter.cancel() }
        for waiter in waiters {
            let error = await #expect(throws: RunnerError.self) { try await waiter.value }
            #expect(error?.code == .cancelled)
        }
        while storage.cancelled < 1 { await Task.yield() }
        gate.finish()
        #expect(try await cache.withCode(of: Fixture.version("a.zip")) { $0.files } == ["main.py"])
        #expect(storage.gets == 2)
    }

    @Test func aTaskThatIsCancelledAlreadyCausesNoDownload() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        let cache = try await fixture.cache()
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                let error = await #expect(throws: RunnerError.self) {
                    try await cache.withCode(of: Fixture.version("a.zip")) { $0 }
                }
                #expect(error?.code == .cancelled)
            }
        }
        #expect(storage.gets == 0)
    }

    @Test func knownCodeNeedsNoObjectStore() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        _ = try await fixture.cache().withCode(of: Fixture.version("a.zip")) { $0 }
        storage.fail(with: ObjectStorageError(.unavailable, "down"))
        // Another process, later.
        let cache = try await fixture.cache()
        #expect(try await cache.withCode(of: Fixture.version("a.zip")) { $0.files } == ["main.py"])
        #expect(storage.gets == 1)
    }

    @Test func failuresAreToldAndNotKept() async throws {
        try await fixture.store("a.zip", [.file("main.py", "print(1)")])
        let cache = try await fixture.cache()
        for (code, expected, isRetryable) in [
            (ObjectStorageError.Code.unavailable, RunnerError.Code.codeUnavailable, true),
            (.denied, .codeUnavailable, true), (.notFound, .codeUnavailable, true), (.noBucket, .codeUnavailable, true),
            (.diskFull, .codeUnavailable, true), (.tooLarge, .codeInvalid, false), (.invalidKey, .codeInvalid, false),
        ] {
            storage.fail(with: ObjectStorageError(code, "because of \(code)"))
            let error = await #expect(throws: RunnerError.self) {
                try await cache.withCode(of: Fixture.version("a.zip", "1.2.3")) { $0 }
            }
            #expect(error?.code == expected)
            #expect(error?.isRetryable == isRetryable)
            for part in ["a.zip", "1.2.3", "because of"] { #expect(error?.message.contains(part) == true) }
        }
        #expect(try fixture.keptFiles() == [])
        storage.fail(with: nil)
        #expect(try await cache.withCode(of: Fixture.version("a.zip", "1.2.3")) { $0.files } == ["main.py"])
    }

    @Test func withoutAnObjectStoreTheErrorSaysSo() async throws {
        let cache = try await CodeCache.open(
            directory: fixture.cacheFolder,
            storage: nil,
            storageName: "",
            executor: fixture.executor
        )
        let error = await #expect(throws: RunnerError.self) {
            try await cache.withCode(of: Fixture.version("a")) { $0 }
        }
        #expect(error?.code == .codeUnavailable)
        #expect(error?.isRetryable == false)
        #expect(error?.message.contains("MINIO_ENDPOINT") == true)
    }

    @Test func f26ANewVersionHasNothingOfTheOldOne() async throws {
        try await fixture.store("v1.zip", [.file("main.py", "import old"), .file("old.py", "")])
        try await fixture.store("v2.zip", [.file("main.py", "import new"), .file("new.py", "")])
        let cache = try await fixture.cache()
        let old = try await cache.withCode(of: Fixture.version("v1.zip", "1")) { $0 }
        let new = try await cache.withCode(of: Fixture.version("v2.zip", "2")) { $0 }
        #expect(new.files == ["main.py", "new.py"])
        #expect(new.path != old.path)
        let target = fixture.folder.file("unpacked")
        try unpack(tar: new.path, into: target)
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == ["main.py", "new.py"])
    }

    @Test func f26TheSameKeyInANewVersionIsFetchedAnew() async throws {
        try await fixture.store("a.zip", [.file("main.py", "1"), .file("gone.py", "")])
        let cache = try await fixture.cache()
        _ = try await cache.withCode(of: Fixture.version("a.zip", "1")) { $0 }
        try await fixture.store("a.zip", [.file("main.py", "2")])
        #expect(try await cache.withCode(of: Fixture.version("a.zip", "2")) { $0.files } == ["main.py"])
        #expect(try await cache.withCode(of: Fixture.version("a.zip", "1")) { $0.files } == ["main.py", "gone.py"])
        #expect(storage.gets == 2)
    }

    @Test(arguments: ["../../x", "/etc/x", "..", "a/../../../b", "x\ny", "%2e%2e%2f", "blobs/x.tar"])
    func f25NoKeyBecomesAPath(_ key: String) async throws {
        try await fixture.store(key, [.file("main.py", "1")])
        let outside = try names(fixture.folder.path)
        let cache = try await fixture.cache()
        let archive = try await cache.withCode(of: Fixture.version(key, "../" + key)) { $0 }
        #expect(archive.path.hasPrefix(fixture.cacheFolder + "/blobs/"))
        #expect(try names(fixture.folder.path) == (outside + ["cache"]).sorted())
        #expect(try names(fixture.cacheFolder) == ["blobs", "locks", "refs", "work"])
    }

    @Test func anOwnerOfItsOwnHasATarOfItsOwn() async throws {
        try await fixture.store("a.zip", [.file("main.py", "1")])
        let one = try await fixture.cache().withCode(of: Fixture.version("a.zip")) { $0 }
        let options = CodeCacheOptions(owner: FileOwnership(uid: 2000, gid: 2000))
        let other = try await fixture.cache(options).withCode(of: Fixture.version("a.zip")) { $0 }
        #expect(one.path != other.path)
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }
}
