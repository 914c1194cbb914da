import Foundation
import TestSupport
import Testing
import Util

@testable import ObjectStorage

@Suite struct GrowingFileTests {
    private let folder: TemporaryFolder
    private let storage: DirectoryObjectStorage

    init() throws {
        folder = try TemporaryFolder()
        storage = DirectoryObjectStorage(root: folder.path, executor: try BlockingExecutor(name: "objects"))
    }

    /// What a process leaves that dies while it adds to an object isn't seen, and is gone when something is added next.
    @Test func anAdditionThatWasBrokenOffIsNotSeen() async throws {
        try await storage.put("k", bytes: Array("whole".utf8), contentType: "text/plain")
        let path = folder.file("k")
        do {
            let file = try #require(try GrowingFile(path: path))
            try file.append(Array("half".utf8))
            // Dies: neither committed nor taken back.
            #expect(try names() == [".growing-k", "k"])
            #expect(link(path, folder.file("dead")) == 0)
            try FileManager.default.copyItem(atPath: folder.file(".growing-k"), toPath: folder.file(".kept"))
        }
        try FileManager.default.moveItem(atPath: folder.file(".kept"), toPath: folder.file(".growing-k"))
        #expect(unlink(folder.file("dead")) == 0)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("half".utf8))
        try handle.close()

        let info = try #require(try await storage.info("k"))
        #expect(info.size == 5)
        #expect(try await storage.list(prefix: "") == [info])
        #expect(try await storage.getBytes("k", limit: 5) == Array("whole".utf8))
        #expect(try await storage.get("k", to: folder.file(".copy"), limit: 5).size == 5)
        #expect(try await storage.read(0..<5, of: info) == Array("whole".utf8))
        try await storage.append(to: "k", base: info, bytes: Array(" more".utf8), contentType: "text/plain")
        #expect(try await storage.getBytes("k", limit: 10) == Array("whole more".utf8))
        #expect(try names().contains(".growing-k") == false)
    }

    @Test func theNoteOnAFileSaysNothingOfItsReplacement() async throws {
        try await storage.put("k", bytes: Array("long content".utf8), contentType: "text/plain")
        let info = try #require(try await storage.info("k"))
        #expect(symlink("1:3", folder.file(".growing-k")) == 0)
        #expect(try await storage.info("k") == info)
        try await storage.append(to: "k", base: info, bytes: [0x21], contentType: "text/plain")
        #expect(try await storage.getBytes("k", limit: 100) == Array("long content!".utf8))
    }

    @Test func anAdditionThatFailsIsTakenBack() async throws {
        try await storage.put("k", bytes: Array("whole".utf8), contentType: "text/plain")
        do {
            let file = try #require(try GrowingFile(path: folder.file("k")))
            try file.append(Array("half".utf8))
        }
        #expect(try names() == ["k"])
        #expect(try await storage.getBytes("k", limit: 100) == Array("whole".utf8))
    }

    @Test func f22NothingThatIsThereIsCopied() async throws {
        try await storage.put("k", bytes: pattern(1 << 20), contentType: "text/plain")
        let before = try #require(try await storage.info("k"))
        var base = before
        for _ in 0..<10 {
            try await storage.append(to: "k", base: base, bytes: [1, 2, 3], contentType: "text/plain")
            base = try #require(try await storage.info("k"))
        }
        // The same file still: its number is in the tag.
        #expect(base.etag.prefix { $0 != "-" } == before.etag.prefix { $0 != "-" })
        #expect(base.size == 1 << 20 | 30)
    }

    /// While something is added all the time, a reader sees only whole additions.
    @Test func readersSeeWholeAdditionsOnly() async throws {
        try await storage.put("k", bytes: [], contentType: "text/plain")
        let storage = storage
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<100 {
                    let base = try await storage.info("k")
                    let bytes = [UInt8](repeating: UInt8(number), count: 10_000)
                    try await storage.append(to: "k", base: base, bytes: bytes, contentType: "text/plain")
                }
            }
            group.addTask {
                var size = 0
                while size < 1_000_000 {
                    size = Int(try #require(try await storage.info("k")).size)
                    #expect(size % 10_000 == 0)
                }
            }
            try await group.waitForAll()
        }
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}
