import CodeCache
import Foundation
import ObjectStorage
import Runtime
import TestSupport
import Testing
import Util

/// On a file system of its own with little room; needs the right to mount.
@Suite struct DiskFullIntegration {
    @Test func aFullDiskIsARetryableErrorAndLeavesNothingHalf() async throws {
        let fixture = try Fixture()
        let disk = fixture.folder.file("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mounted = try await runCommand(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk])
        try #require(mounted.isSuccess, "\(mounted.errorText)")
        do {
            try await fill(disk, fixture)
        } catch {
            _ = try await runCommand(["umount", "-l", disk])
            throw error
        }
        let released = try await runCommand(["umount", "-l", disk])
        #expect(released.isSuccess)
    }

    private func fill(_ disk: String, _ fixture: Fixture) async throws {
        func entry(_ count: Int) -> [ZipEntry] { [.file("main.py", String(repeating: "x", count: count))] }
        try await fixture.store("small.zip", entry(100_000))
        // The zip finds room, the tar doesn't; and a zip for which there is none.
        try await fixture.store("medium.zip", entry(600_000))
        try await fixture.store("large.zip", entry(2_000_000))
        let place = disk + "/cache"
        let cache = try await fixture.cache(at: place)
        _ = try await cache.withCode(of: Fixture.version("small.zip")) { $0 }
        for key in ["medium.zip", "large.zip"] {
            let error = await #expect(throws: RunnerError.self) {
                try await cache.withCode(of: Fixture.version(key)) { $0 }
            }
            #expect(error?.code == .codeUnavailable)
            #expect(error?.isRetryable == true)
            #expect(error?.message.contains("room") == true || error?.message.contains("space") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place + "/blobs").count == 2)
            let work = FileManager.default.enumerator(atPath: place + "/work")?.allObjects.count
            #expect(work == 2)
        }
        #expect(try await cache.withCode(of: Fixture.version("small.zip")) { $0.files } == ["main.py"])
        #expect(fixture.storage.gets == 3)
    }
}
