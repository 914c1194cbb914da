import Foundation
import ObjectStorage
import TestSupport
import Testing
import Util

@Suite struct DirectoryObjectStorageTests {
    private let folder: TemporaryFolder
    private let storage: DirectoryObjectStorage

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("bucket"), withIntermediateDirectories: true)
        storage = DirectoryObjectStorage(root: folder.file("bucket"), executor: try BlockingExecutor(name: "objects"))
    }

    @Test(arguments: StorageContract.allCases) func keepsTheContract(_ contract: StorageContract) async throws {
        try await contract.check(storage)
    }

    private static let hostileKeys = [
        "../../x", "..", ".", "/", "/etc/passwd", "a//b", "a/./b", "a/../b", "a\nb", "a\\b", "%2e%2e%2fx", "~", "a+",
        "+",
        ".partial-1", "a%2Fb", "a/b", "a", "a/b/c", "CON", "x" + String(repeating: ".", count: 1000),
        String(repeating: "/", count: 1024), String(repeating: "../", count: 341), String(repeating: "é", count: 512),
        String(repeating: "a", count: 199) + "..", String(repeating: "a", count: 200),
        String(repeating: "a", count: 201),
    ]

    @Test func f25NoKeyLeavesTheFolderOrCollides() async throws {
        let before = try names(in: folder)
        for key in Self.hostileKeys {
            try await storage.put(key, bytes: Array(key.utf8), contentType: "text/plain")
        }
        #expect(try names(in: folder) == before)
        for key in Self.hostileKeys {
            #expect(try await storage.getBytes(key, limit: 1024) == Array(key.utf8))
        }
        #expect(Set(try await storage.list(prefix: "").map(\.key)) == Set(Self.hostileKeys))
        for key in Self.hostileKeys { try await storage.delete(key) }
        #expect(try await storage.list(prefix: "").isEmpty)
    }

    @Test func foreignFilesAreNotTakenForObjects() async throws {
        let foreign = [".partial-9-zzz", "with space", "%2f", "%zz", ".hidden", "dir/x", "aa+/short"]
        for name in foreign { try folder.write("bucket/" + name, "") }
        try folder.write("bucket/README", "hello")
        #expect(try await storage.list(prefix: "").map(\.key) == ["README"])
    }

    @Test func aMissingFolderIsNoEmptyBucket() async throws {
        let gone = DirectoryObjectStorage(root: folder.file("gone"), executor: try BlockingExecutor(name: "objects"))
        let calls: [@Sendable () async throws -> Void] = [
            { try await gone.check() },
            { _ = try await gone.list(prefix: "") },
            { _ = try await gone.info("a") },
            { _ = try await gone.getBytes("a", limit: 1) },
            { try await gone.delete("a") },
            { try await gone.put("a", bytes: [1], contentType: "text/plain") },
        ]
        for call in calls {
            let error = await #expect(throws: ObjectStorageError.self) { try await call() }
            #expect(error?.code == .noBucket)
        }
        #expect(try names(in: folder) == ["bucket"])
    }
}
