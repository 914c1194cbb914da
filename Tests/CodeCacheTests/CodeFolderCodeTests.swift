import Archive
import CodeCache
import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct CodeFolderCodeTests {
    @Test func packsWhatTheDigestCovers() async throws {
        let fixture = try Fixture()
        for name in [
            "main.py", "lib/x.py", ".git/config", "__pycache__/main.pyc", "notes.txt", "data/big.bin", "bots.yaml",
        ] { try fixture.folder.write("bot/" + name, name) }
        try fixture.folder.write("bot/.the0ignore", "*.txt\ndata/\n")
        let folder = CodeFolder(path: fixture.folder.file("bot"))
        let version = Fixture.version(folder: folder.path, digest: try folder.digest())
        let cache = try await fixture.cache()
        let archive = try await cache.withCode(of: version) { $0 }
        #expect(archive.files == ["main.py", "lib/x.py", ".the0ignore"])
        let target = fixture.folder.file("unpacked")
        try unpack(tar: archive.path, into: target)
        #expect(try CodeFolder(path: target).files() == folder.files())
    }

    @Test func theSameCodeIsPackedOnceAndLentWhenTheFolderIsGone() async throws {
        let fixture = try Fixture()
        try fixture.folder.write("bot/main.py", "1")
        let folder = CodeFolder(path: fixture.folder.file("bot"))
        let version = Fixture.version(folder: folder.path, digest: try folder.digest())
        let cache = try await fixture.cache()
        let first = try await cache.withCode(of: version) { $0.path }
        try FileManager.default.removeItem(atPath: folder.path)
        #expect(try await cache.withCode(of: version) { $0.path } == first)
    }

    @Test func aFolderThatChangedMeanwhileIsNotTakenForTheOldVersion() async throws {
        let fixture = try Fixture()
        try fixture.folder.write("bot/main.py", "1")
        let folder = CodeFolder(path: fixture.folder.file("bot"))
        let version = Fixture.version(folder: folder.path, digest: try folder.digest())
        try fixture.folder.write("bot/main.py", "2")
        let cache = try await fixture.cache()
        let error = await #expect(throws: RunnerError.self) { try await cache.withCode(of: version) { $0 } }
        #expect(error?.code == .codeUnavailable)
        #expect(error?.isRetryable == true)
        #expect(error?.message.contains("changed") == true)
        #expect(try fixture.keptFiles() == [])
    }

    @Test func f27ALinkOutOfTheFolderIsRefused() async throws {
        let fixture = try Fixture()
        try fixture.folder.write("bot/main.py", "1")
        try FileManager.default.createSymbolicLink(
            atPath: fixture.folder.file("bot/secrets"),
            withDestinationPath: "/etc/passwd"
        )
        let folder = CodeFolder(path: fixture.folder.file("bot"))
        let version = Fixture.version(folder: folder.path, digest: try folder.digest())
        let cache = try await fixture.cache()
        let error = await #expect(throws: RunnerError.self) { try await cache.withCode(of: version) { $0 } }
        #expect(error?.code == .codeInvalid)
        #expect(error?.message.contains("secrets") == true)
    }
}
