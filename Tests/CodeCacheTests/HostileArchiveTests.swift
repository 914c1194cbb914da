import Archive
import CodeCache
import Foundation
import ObjectStorage
import Runtime
import TestSupport
import Testing

@Suite struct HostileArchiveTests {
    static let archives: [(what: String, zip: [UInt8], named: String)] = {
        var wrongSum = ZipEntry.file("main.py", "print(1)")
        wrongSum.announcedChecksum = 1
        var wrongSize = ZipEntry.file("main.py", "print(1)")
        wrongSize.announcedSize = 3
        let whole = makeZip([.file("main.py", String(repeating: "print(1)\n", count: 100))])
        return [
            ("traversal", makeZip([.file("main.py", ""), .file("../evil.py", "")]), "../evil.py"),
            ("traversal inside", makeZip([.file("a/../../evil.py", "")]), "evil.py"),
            ("absolute", makeZip([.file("/etc/evil", "")]), "/etc/evil"),
            ("backslash", makeZip([.file("..\\evil", "")]), "evil"),
            ("link out", makeZip([.symlink("out", to: "../../etc/passwd")]), "out"),
            ("absolute link", makeZip([.symlink("out", to: "/etc/passwd")]), "out"),
            ("device", makeZip([.device("null")]), "null"),
            ("twice", makeZip([.file("main.py", "1"), .file("main.py", "2")]), "main.py"),
            ("file and folder", makeZip([.file("a", "1"), .file("a/b", "2")]), "a"),
            ("not UTF-8", makeZip([ZipEntry(name: [0xFF, 0xFE], contents: [], mode: 0o100644)]), "xff"),
            ("too many bytes", makeZip([.file("big", bytes: [UInt8](repeating: 1, count: 200_000))]), "big"),
            ("too many entries", makeZip((0..<200).map { .file("f\($0)", "") }), "entries"),
            ("wrong checksum", makeZip([wrongSum]), "main.py"),
            ("wrong size", makeZip([wrongSize]), "main.py"),
            ("cut", Array(whole.dropLast(30)), ""),
            ("cut in its middle", Array(whole.prefix(whole.count / 2)), ""),
            ("no zip", Array("<html>not found</html>".utf8), "zip"),
            ("empty file", [], ""),
            ("empty zip", makeZip([]), ""),
            ("only folders", makeZip([.folder("a")]), ""),
        ]
    }()

    @Test(arguments: archives.indices)
    func f27HostileArchivesAreRefusedAndLeaveNothing(_ index: Int) async throws {
        let (what, zip, named) = Self.archives[index]
        let fixture = try Fixture()
        try await fixture.storage.put("bot.zip", bytes: zip, contentType: "application/zip")
        let options = CodeCacheOptions(limits: ArchiveLimits(maxEntries: 100, maxTotalBytes: 100_000))
        let cache = try await fixture.cache(options)
        let error = await #expect(throws: RunnerError.self, "\(what)") {
            try await cache.withCode(of: Fixture.version("bot.zip", "7.0")) { $0 }
        }
        #expect(error?.code == .codeInvalid, "\(what)")
        #expect(error?.isRetryable == false)
        for part in ["bot.zip", "7.0", named] where !part.isEmpty {
            #expect(error?.message.contains(part) == true, "\(what): \(error?.message ?? "")")
        }
        #expect(error?.cause is ArchiveError)
        #expect(try fixture.keptFiles() == [], "\(what)")
        #expect(!FileManager.default.fileExists(atPath: fixture.folder.file("evil.py")))
    }

    @Test func f27ADownloadBeyondTheLimitIsRefused() async throws {
        let fixture = try Fixture()
        try await fixture.store("bot.zip", [.file("main.py", String(repeating: "x", count: 10_000))])
        let cache = try await fixture.cache(CodeCacheOptions(maximumDownload: 5_000))
        let error = await #expect(throws: RunnerError.self) {
            try await cache.withCode(of: Fixture.version("bot.zip")) { $0 }
        }
        #expect(error?.code == .codeInvalid)
        #expect(error?.message.contains("5000") == true)
        #expect(try fixture.keptFiles() == [])
    }
}
