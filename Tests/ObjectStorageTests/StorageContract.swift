import Foundation
import ObjectStorage
import TestSupport
import Testing

/// What every bucket does, whatever is behind it. Each check works under a prefix of its own in a bucket that is there.
enum StorageContract: String, CaseIterable, Sendable {
    case bytes, replacing, anyKey, missing, limits, intoFile, fromFile, listing, invalidKeys, concurrentPuts,
        unreadableFile, parts, appending, appendingToOther

    func check(_ storage: any ObjectAppending, longest: Int = 1024) async throws {
        try await storage.check()
        let prefix = "\(rawValue)-\(UInt32.random(in: 0 ... .max))/"
        switch self {
        case .bytes: try await bytes(storage, prefix)
        case .replacing: try await replacing(storage, prefix)
        case .anyKey: try await anyKey(storage, prefix, longest)
        case .missing: try await missing(storage, prefix)
        case .limits: try await limits(storage, prefix)
        case .intoFile: try await intoFile(storage, prefix)
        case .fromFile: try await fromFile(storage, prefix)
        case .listing: try await listing(storage, prefix)
        case .invalidKeys: try await invalidKeys(storage)
        case .concurrentPuts: try await concurrentPuts(storage, prefix)
        case .unreadableFile: try await unreadableFile(storage, prefix)
        case .parts: try await parts(storage, prefix)
        case .appending: try await appending(storage, prefix)
        case .appendingToOther: try await appendingToOther(storage, prefix)
        }
    }

    private func parts(_ storage: any ObjectAppending, _ prefix: String) async throws {
        let content = pattern(300_000)
        try await storage.put(prefix + "p", bytes: content, contentType: "text/plain")
        let info = try #require(try await storage.info(prefix + "p"))
        for range in [Int64(0)..<1, 0..<300_000, 299_999..<300_000, 1_000..<201_000] {
            let part = try await storage.read(range, of: info)
            #expect(part == Array(content[Int(range.lowerBound)..<Int(range.upperBound)]), "\(range)")
        }
        for range in [Int64(0)..<0, 0..<300_001, -1..<3] {
            let error = await #expect(throws: ObjectStorageError.self) { try await storage.read(range, of: info) }
            #expect(error?.code == .refused)
        }
        try await storage.put(prefix + "p", bytes: content + [1], contentType: "text/plain")
        let error = await #expect(throws: ObjectStorageError.self) { try await storage.read(0..<10, of: info) }
        #expect(error?.code == .changed)
        try await storage.delete(prefix + "p")
        let gone = await #expect(throws: ObjectStorageError.self) { try await storage.read(0..<10, of: info) }
        #expect(gone?.code == .notFound)
    }

    private func appending(_ storage: any ObjectAppending, _ prefix: String) async throws {
        let key = prefix + "a b/ü+%"
        var expected: [UInt8] = []
        // On both sides of the sizes from which on S3 copies (5 MiB) and sends in parts (8 MiB).
        for size in [0, 1, 1_000, 5 << 20, 1, 9 << 20, 0, 17] {
            let info = try await storage.info(key)
            let new = pattern(size)
            try await storage.append(to: key, base: info, bytes: new, contentType: "text/plain")
            expected += new
            #expect(try await storage.info(key)?.size == Int64(expected.count))
        }
        #expect(try await storage.getBytes(key, limit: 20 << 20) == expected)
        #expect(try await storage.list(prefix: prefix).map(\.size) == [Int64(expected.count)])
        var pieces = (0..<20).map { pattern(1 << 20 | $0) }
        expected += pieces.joined()
        let info = try await storage.info(key)
        try await storage.append(to: key, base: info, contentType: "text/plain") { () throws(ObjectStorageError) in
            pieces.isEmpty ? nil : pieces.removeFirst()
        }
        #expect(try await storage.getBytes(key, limit: 50 << 20) == expected)
        // A source that fails leaves the object as it was.
        let base = try await storage.info(key)
        var count = 0
        let error = await #expect(throws: ObjectStorageError.self) {
            try await storage.append(to: key, base: base, contentType: "text/plain") { () throws(ObjectStorageError) in
                count += 1
                if count > 9 { throw ObjectStorageError(.localFile, "unreadable") }
                return [UInt8](repeating: 7, count: 1 << 20)
            }
        }
        #expect(error?.code == .localFile)
        #expect(try await storage.info(key)?.size == base?.size)
    }

    private func appendingToOther(_ storage: any ObjectAppending, _ prefix: String) async throws {
        let key = prefix + "o"
        try await storage.append(to: key, base: nil, bytes: Array("one".utf8), contentType: "text/plain")
        let first = try #require(try await storage.info(key))
        try await storage.append(to: key, base: first, bytes: Array("two".utf8), contentType: "text/plain")
        for base in [first, nil] {
            let error = await #expect(throws: ObjectStorageError.self) {
                try await storage.append(to: key, base: base, bytes: Array("lost".utf8), contentType: "text/plain")
            }
            #expect(error?.code == .changed)
        }
        #expect(try await storage.getBytes(key, limit: 100) == Array("onetwo".utf8))
        try await storage.delete(key)
        await #expect(throws: ObjectStorageError.self) {
            try await storage.append(to: key, base: first, bytes: Array("x".utf8), contentType: "text/plain")
        }
        #expect(try await storage.info(key) == nil)
    }

    private func bytes(_ storage: any ObjectStorage, _ prefix: String) async throws {
        for content in [[], [0x61], [UInt8](0...255) + [0x0A]] {
            try await storage.put(prefix + "b", bytes: content, contentType: "application/octet-stream")
            #expect(try await storage.getBytes(prefix + "b", limit: 1000) == content)
            #expect(try await storage.info(prefix + "b")?.size == Int64(content.count))
        }
    }

    private func replacing(_ storage: any ObjectStorage, _ prefix: String) async throws {
        try await storage.put(prefix + "r", bytes: [1, 2, 3], contentType: "text/plain")
        let first = try #require(try await storage.info(prefix + "r"))
        #expect(try await storage.info(prefix + "r") == first)
        try await storage.put(prefix + "r", bytes: [4, 5, 6], contentType: "text/plain")
        let second = try #require(try await storage.info(prefix + "r"))
        #expect(!first.etag.isEmpty && first.etag != second.etag)
        #expect(try await storage.getBytes(prefix + "r", limit: 3) == [4, 5, 6])
    }

    private func anyKey(_ storage: any ObjectStorage, _ prefix: String, _ longest: Int) async throws {
        let keys =
            [
                "plain.zip", "with space", "plus+plus", "per%cent", "per%2Fcent", "que?ry#frag", "ümlaut", "日本語/名前",
                "a=b&c=d", "semi;comma,colon:", "(parens)'quote'\"", "tilde~star*", "@$!", "<xml>&amp;",
                "e\u{301}", "\u{e9}", "dots...", ".hidden", "trailing.", "Case", "case", "deep/er/path/of/folders/x",
            ].map { prefix + $0 } + [prefix + String(repeating: "ü", count: (longest - prefix.utf8.count) / 2)]
        for key in keys {
            try await storage.put(key, bytes: Array(key.utf8), contentType: "application/octet-stream")
        }
        for key in keys { #expect(try await storage.getBytes(key, limit: 2000) == Array(key.utf8), "\(key)") }
        let listed = try await storage.list(prefix: prefix).map { Array($0.key.utf8) }
        // Compared as bytes: as text "e" with an accent is the same however it is written.
        let differing = Set(listed).symmetricDifference(keys.map { Array($0.utf8) })
        #expect(differing.isEmpty, "\(differing.map { String(decoding: $0, as: UTF8.self) })")
        for key in keys {
            try await storage.delete(key)
            #expect(try await storage.info(key) == nil, "\(key)")
        }
        #expect(try await storage.list(prefix: prefix).isEmpty)
    }

    private func missing(_ storage: any ObjectStorage, _ prefix: String) async throws {
        let folder = try TemporaryFolder()
        #expect(try await storage.info(prefix + "none") == nil)
        try await storage.delete(prefix + "none")
        #expect(try await storage.list(prefix: prefix).isEmpty)
        let error = await #expect(throws: ObjectStorageError.self) {
            try await storage.getBytes(prefix + "none", limit: 10)
        }
        #expect(error?.code == .notFound)
        #expect(error?.isRetryable == false)
        #expect(error?.message.contains("none") == true)
        let second = await #expect(throws: ObjectStorageError.self) {
            try await storage.get(prefix + "none", to: folder.file("x"), limit: 10)
        }
        #expect(second?.code == .notFound)
        #expect(try names(in: folder) == [])
    }

    private func limits(_ storage: any ObjectStorage, _ prefix: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write("x", "before")
        try await storage.put(prefix + "l", bytes: [UInt8](repeating: 7, count: 11), contentType: "text/plain")
        let error = await #expect(throws: ObjectStorageError.self) {
            try await storage.getBytes(prefix + "l", limit: 10)
        }
        #expect(error?.code == .tooLarge)
        let second = await #expect(throws: ObjectStorageError.self) {
            try await storage.get(prefix + "l", to: folder.file("x"), limit: 10)
        }
        #expect(second?.code == .tooLarge)
        #expect(try names(in: folder) == ["x"])
        #expect(try String(contentsOfFile: folder.file("x"), encoding: .utf8) == "before")
        #expect(try await storage.getBytes(prefix + "l", limit: 11).count == 11)
    }

    private func intoFile(_ storage: any ObjectStorage, _ prefix: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write("x", "before")
        let content = pattern(3_000_001)
        try await storage.put(prefix + "f", bytes: content, contentType: "application/zip")
        let info = try await storage.get(prefix + "f", to: folder.file("x"), limit: 3_000_001)
        #expect(info.size == 3_000_001)
        #expect(info == (try await storage.info(prefix + "f")))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("x"))) == Data(content))
        #expect(try names(in: folder) == ["x"])
    }

    private func fromFile(_ storage: any ObjectStorage, _ prefix: String) async throws {
        let folder = try TemporaryFolder()
        // On both sides of the size from which on S3 gets a file in parts, 8 MiB.
        for size in [0, 1, 8 << 20, (8 << 20) + 1, 17_000_003] {
            let content = pattern(size)
            try Data(content).write(to: URL(fileURLWithPath: folder.file("source")))
            try await storage.put(prefix + "p", file: folder.file("source"))
            #expect(try await storage.info(prefix + "p")?.size == Int64(size))
            #expect(try await storage.getBytes(prefix + "p", limit: size) == content, "\(size)")
        }
    }

    private func listing(_ storage: any ObjectStorage, _ prefix: String) async throws {
        for name in ["b/2", "a", "b/1", "bb", "c é"] {
            try await storage.put(prefix + name, bytes: Array(name.utf8), contentType: "text/plain")
        }
        let all = try await storage.list(prefix: prefix)
        #expect(all.map(\.key) == ["a", "b/1", "b/2", "bb", "c é"].map { prefix + $0 })
        #expect(all.map(\.size) == [1, 3, 3, 2, 4])
        #expect(try await storage.list(prefix: prefix + "b").map(\.key) == ["b/1", "b/2", "bb"].map { prefix + $0 })
        #expect(try await storage.list(prefix: prefix + "b/").map(\.key) == ["b/1", "b/2"].map { prefix + $0 })
        #expect(try await storage.list(prefix: prefix + "x").isEmpty)
        #expect(try await storage.list(prefix: "").map(\.key).filter { $0.hasPrefix(prefix) } == all.map(\.key))
    }

    private func invalidKeys(_ storage: any ObjectStorage) async throws {
        for key in ["", String(repeating: "k", count: 1025), "nul\0"] {
            let error = await #expect(throws: ObjectStorageError.self) { try await storage.getBytes(key, limit: 1) }
            #expect(error?.code == .invalidKey)
            let second = await #expect(throws: ObjectStorageError.self) {
                try await storage.put(key, bytes: [1], contentType: "text/plain")
            }
            #expect(second?.code == .invalidKey)
            let third = await #expect(throws: ObjectStorageError.self) { try await storage.info(key) }
            #expect(third?.code == .invalidKey)
            let fourth = await #expect(throws: ObjectStorageError.self) { try await storage.delete(key) }
            #expect(fourth?.code == .invalidKey)
        }
    }

    private func concurrentPuts(_ storage: any ObjectStorage, _ prefix: String) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in UInt8(1)...8 {
                group.addTask {
                    let content = [UInt8](repeating: number, count: 100_000)
                    try await storage.put(prefix + "c", bytes: content, contentType: "text/plain")
                }
            }
            try await group.waitForAll()
        }
        let content = try await storage.getBytes(prefix + "c", limit: 100_000)
        #expect(content.count == 100_000)
        #expect(Set(content).count == 1)
    }

    private func unreadableFile(_ storage: any ObjectStorage, _ prefix: String) async throws {
        let folder = try TemporaryFolder()
        let error = await #expect(throws: ObjectStorageError.self) {
            try await storage.put(prefix + "u", file: folder.file("none"))
        }
        #expect(error?.code == .localFile)
        try await storage.put(prefix + "u", bytes: [1], contentType: "text/plain")
        let second = await #expect(throws: ObjectStorageError.self) {
            try await storage.get(prefix + "u", to: folder.file("none/x"), limit: 10)
        }
        #expect(second?.code == .localFile)
        #expect(second?.message.contains("none/x") == true)
    }
}

/// Bytes of which no two blocks of a part's or a buffer's size are the same.
func pattern(_ count: Int) -> [UInt8] {
    var state: UInt32 = 1
    // A prime, so that repetitions never meet a block's bounds.
    let piece = (0..<65_521).map { _ -> UInt8 in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(state >> 24)
    }
    var bytes: [UInt8] = []
    while bytes.count + piece.count <= count { bytes += piece }
    return bytes + piece.prefix(count - bytes.count)
}

func names(in folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}
