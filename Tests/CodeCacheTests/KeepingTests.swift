import CodeCache
import Foundation
import ObjectStorage
import Runtime
import TestSupport
import Testing

/// What stays in the folder, what goes, and what is not trusted.
@Suite struct KeepingTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    private func store(_ names: String...) async throws {
        for name in names {
            try await fixture.store(name, [.file("main.py", name + String(repeating: "x", count: 20_000))])
        }
    }

    private func fetch(_ cache: CodeCache, _ names: String...) async throws {
        for name in names { _ = try await cache.withCode(of: Fixture.version(name)) { $0 } }
    }

    @Test func whatHasNotBeenUsedForLongestGoesFirst() async throws {
        try await store("a", "b", "c")
        let cache = try await fixture.cache(CodeCacheOptions(capacity: 60_000))
        try await fetch(cache, "a", "b", "a", "c")
        #expect(fixture.storage.gets == 3)
        #expect(try fixture.keptTars().count == 2)
        try await fetch(cache, "a", "c")
        #expect(fixture.storage.gets == 3)
        try await fetch(cache, "b")
        #expect(fixture.storage.gets == 4)
    }

    @Test func f11WhatIsLentIsNeverRemoved() async throws {
        try await store("a", "b", "c")
        let cache = try await fixture.cache(CodeCacheOptions(capacity: 0))
        let other = try await fixture.cache(CodeCacheOptions(capacity: 0))
        // Both ways to come by code: just fetched, and known.
        try await lendUnderPressure(cache, other)
        try await fetch(try await fixture.cache(), "a")
        try await lendUnderPressure(cache, other)
        try await fetch(cache, "b")
        try await store("d")
        try await fetch(cache, "d")
        #expect(try fixture.keptTars().count == 1)
    }

    private func lendUnderPressure(_ cache: CodeCache, _ other: CodeCache) async throws {
        try await cache.withCode(of: Fixture.version("a")) { archive throws(RunnerError) in
            // A duplicate of the bot comes and goes, in this process and in another one; other code presses for room.
            _ = try await cache.withCode(of: Fixture.version("a")) { $0 }
            _ = try await other.withCode(of: Fixture.version("a")) { $0 }
            _ = try await other.withCode(of: Fixture.version("b")) { $0 }
            _ = try await cache.withCode(of: Fixture.version("c")) { $0 }
            #expect(FileManager.default.fileExists(atPath: archive.path))
        }
    }

    @Test func whatAnotherProcessLendsIsNotRemoved() async throws {
        try await store("a", "b")
        let cache = try await fixture.cache(CodeCacheOptions(capacity: 0))
        let path = try await cache.withCode(of: Fixture.version("a")) { $0.path }
        let script = """
            import fcntl, sys, time
            file = open(sys.argv[1])
            fcntl.flock(file, fcntl.LOCK_SH)
            print("locked", flush=True)
            time.sleep(600)
            """
        let output = fixture.folder.file("python.out")
        let python = try ChildProcess(["python3", "-c", script, path], output: output)
        defer { python.killGroup() }
        try await eventually { try String(contentsOfFile: output, encoding: .utf8).contains("locked") }
        try await fetch(cache, "b")
        #expect(FileManager.default.fileExists(atPath: path))
        python.killGroup()
        _ = await python.ended()
        try await fetch(cache, "b")
        try await store("c")
        try await fetch(cache, "c")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [0, 1, 1_000, 25_000]) func aTarThatWasCutIsNoticedAndFetchedAgain(_ length: Int) async throws {
        try await store("a")
        let path = try await fixture.cache().withCode(of: Fixture.version("a")) { $0.path }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(truncate(path, off_t(min(length, whole.count - 1))) == 0)
        try await fetch(try await fixture.cache(), "a")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
        #expect(fixture.storage.gets == 2)
    }

    @Test func aTarThatWasChangedIsNoticedByTheProcessThatHasCheckedIt() async throws {
        try await store("a")
        let cache = try await fixture.cache()
        let path = try await cache.withCode(of: Fixture.version("a")) { $0.path }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var changed = whole
        changed[600] ^= 1
        try changed.write(to: URL(fileURLWithPath: path))
        try await fetch(cache, "a")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    }

    @Test func aDamagedTarWithTheStoreDownIsAnErrorNotAHalfBot() async throws {
        try await store("a")
        let path = try await fixture.cache().withCode(of: Fixture.version("a")) { $0.path }
        #expect(truncate(path, 100) == 0)
        fixture.storage.fail(with: ObjectStorageError(.unavailable, "down"))
        let cache = try await fixture.cache()
        let error = await #expect(throws: RunnerError.self) { try await fetch(cache, "a") }
        #expect(error?.code == .codeUnavailable)
        #expect(error?.isRetryable == true)
    }

    @Test func aDamagedListOrReferenceIsNoticed() async throws {
        try await store("a")
        try await fetch(try await fixture.cache(), "a")
        for suffix in [".files", ""] {
            for content in ["", "garbage", String(repeating: "0", count: 64) + "\n"] {
                let files = try fixture.keptFiles()
                let victim = try #require(
                    files.first { suffix.isEmpty ? $0.hasPrefix("refs/") : $0.hasSuffix(suffix) }
                )
                try Data(content.utf8).write(to: URL(fileURLWithPath: "\(fixture.cacheFolder)/\(victim)"))
                let names = try await fixture.cache().withCode(of: Fixture.version("a")) { $0.files }
                #expect(names == ["main.py"])
            }
        }
    }

    @Test func whatAKilledProcessLeftIsRemovedAndWhatALivingOneDoesStays() async throws {
        let living = try await fixture.cache()
        let work = fixture.cacheFolder + "/work"
        let ofTheLiving = try FileManager.default.contentsOfDirectory(atPath: work).sorted()
        #expect(ofTheLiving.count == 2)
        try fixture.folder.write("cache/work/99999-dead/1", "half a zip")
        try fixture.folder.write("cache/work/99999-dead.lock", "")
        try fixture.folder.write("cache/work/stray", "")
        try fixture.folder.write(
            "cache/refs/\(String(repeating: "0", count: 64))",
            String(repeating: "1", count: 64) + "\n"
        )
        var cache: CodeCache? = try await fixture.cache()
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: work).filter { !ofTheLiving.contains($0) }.count == 2
        )
        #expect(try fixture.keptFiles() == [])
        cache = nil
        #expect(cache == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: work).sorted() == ofTheLiving)
        withExtendedLifetime(living) {}
    }

    @Test func nothingStaysOpen() async throws {
        try await store("a", "b")
        func open() throws -> Int {
            let links = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            return links.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            .filter { $0.hasPrefix(fixture.cacheFolder) }.count
        }
        let cache = try await fixture.cache()
        let before = try open()
        try await fetch(cache, "a", "b", "a")
        let error = await #expect(throws: RunnerError.self) { try await fetch(cache, "none") }
        #expect(error?.code == .codeUnavailable)
        #expect(try open() == before)
    }

    @Test func aFolderThatCannotBeUsedIsAnError() async throws {
        try fixture.folder.write("file", "")
        let error = await #expect(throws: RunnerError.self) {
            try await fixture.cache(at: fixture.folder.file("file"))
        }
        #expect(error?.code == .codeUnavailable)
        #expect(error?.message.contains("file") == true)
    }
}
