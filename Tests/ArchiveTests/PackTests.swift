import Foundation
import Testing

@testable import Archive

@Suite struct PackTests {
    let scratch: Scratch
    private let files = FileManager.default

    init() throws {
        scratch = try Scratch()
        try files.createDirectory(atPath: scratch("root/sub"), withIntermediateDirectories: true)
        try scratch.write(Array("print(1)".utf8), to: "root/main.py", mode: 0o600)
        try scratch.write([1, 2, 3], to: "root/sub/run", mode: 0o755)
    }

    private func pack(
        limits: ArchiveLimits = ArchiveLimits(),
        excluding: (String) -> Bool = { _ in false }
    ) throws(ArchiveError) -> ArchiveSummary {
        try packDirectory(
            at: scratch("root"),
            to: scratch("root.tar"),
            owner: FileOwnership(uid: 5, gid: 6),
            limits: limits,
            excluding: excluding
        )
    }

    private func refusal(limits: ArchiveLimits = ArchiveLimits()) throws -> ArchiveError {
        let error = try #require(throws: ArchiveError.self) { try pack(limits: limits) }
        #expect(try !scratch.tree().contains("root.tar"))
        #expect(try scratch.openDescriptors().isEmpty)
        return error
    }

    @Test func directoryIsPackedInOrder() throws {
        try files.createSymbolicLink(atPath: scratch("root/sub/link"), withDestinationPath: "../main.py")
        let summary = try pack()
        #expect(
            try listing(ofTar: scratch("root.tar")) == [
                "0 0o644 5:6 315576000 8 main.py",
                "5 0o755 5:6 315576000 0 sub",
                "2 0o777 5:6 315576000 0 sub/link ../main.py",
                "0 0o755 5:6 315576000 3 sub/run",
            ]
        )
        #expect(summary.files == ["main.py", "sub/run"])
        #expect(summary.entries == 4)
        #expect(summary.bytes == 11)
        try unpack(tar: scratch("root.tar"), into: scratch("copy"))
        #expect(try scratch.tree("copy") == scratch.tree("root"))
    }

    @Test func sameContentGivesTheSameBytes() throws {
        _ = try pack()
        let first = try scratch.read("root.tar")
        let other = try Scratch()
        try files.createDirectory(atPath: other("root/sub"), withIntermediateDirectories: true)
        try other.write([1, 2, 3], to: "root/sub/run", mode: 0o755)
        try other.write(Array("print(1)".utf8), to: "root/main.py", mode: 0o644)
        _ = try packDirectory(at: other("root"), to: other("root.tar"), owner: FileOwnership(uid: 5, gid: 6))
        #expect(try other.read("root.tar") == first)
    }

    @Test func excludedPathsAreLeftOutWithAllInThem() throws {
        #expect(mkfifo(scratch("root/sub/fifo"), 0o600) == 0)
        #expect(try pack(excluding: { $0 == "sub" }).files == ["main.py"])
    }

    @Test func emptyDirectoryGivesAnEmptyTar() throws {
        try files.removeItem(atPath: scratch("root"))
        try files.createDirectory(atPath: scratch("root"), withIntermediateDirectories: false)
        #expect(try pack() == ArchiveSummary())
        #expect(try scratch.read("root.tar") == [UInt8](repeating: 0, count: 1024))
    }

    @Test(arguments: ["/etc/passwd", "../../outside", "../sub/../../x"])
    func f27LinksThatLeaveTheRootAreRefused(target: String) throws {
        try files.createSymbolicLink(atPath: scratch("root/sub/link"), withDestinationPath: target)
        let error = try refusal()
        #expect(error.code == .unsafeEntry)
        #expect(error.entry == "sub/link")
    }

    @Test func f27SpecialFilesAreRefused() throws {
        #expect(mkfifo(scratch("root/sub/fifo"), 0o600) == 0)
        let error = try refusal()
        #expect(error.code == .unsafeEntry)
        #expect(error.entry == "sub/fifo")
    }

    @Test func limitsAreKept() throws {
        #expect(try refusal(limits: ArchiveLimits(maxEntries: 2)).code == .tooManyEntries)
        #expect(try refusal(limits: ArchiveLimits(maxTotalBytes: 10)).code == .tooLarge)
        #expect(try refusal(limits: ArchiveLimits(maxFileBytes: 7)).code == .tooLarge)
        #expect(try refusal(limits: ArchiveLimits(maxDepth: 1)).code == .unsafeEntry)
    }

    @Test func namesThatAreNotUTF8AreRefused() throws {
        let path = scratch("root/").utf8CString.dropLast() + [CChar(bitPattern: 0xFF), 0]
        let descriptor = open(Array(path), O_CREAT | O_WRONLY, 0o644)
        #expect(descriptor >= 0)
        close(descriptor)
        let error = try refusal()
        #expect(error.code == .unsafeEntry)
        #expect(error.entry == "\\xff")
    }

    @Test func tarMayNotLieInWhatIsPacked() throws {
        let error = #expect(throws: ArchiveError.self) {
            try packDirectory(at: scratch("root"), to: scratch("root/sub/out.tar"), owner: .root)
        }
        #expect(error?.code == .unsafeEntry)
        #expect(try scratch.tree("root") == ["main.py", "sub", "sub/run"])
    }

    @Test func missingDirectoryIsAnError() throws {
        let error = #expect(throws: ArchiveError.self) {
            try packDirectory(at: scratch("none"), to: scratch("root.tar"), owner: .root)
        }
        #expect(error?.cause?.number == ENOENT)
    }

    @Test func filesInMemoryBecomeATar() throws {
        let long = String(repeating: "länge/", count: 40) + "x"
        let tar = try packFiles([
            ArchiveFile(name: "entrypoint.sh", contents: Array("#!/bin/sh".utf8), mode: 0o755),
            ArchiveFile(name: long, contents: [], mode: 0o600, owner: FileOwnership(uid: 70_000_000, gid: 7)),
        ])
        try scratch.write(tar, to: "files.tar")
        #expect(
            try listing(ofTar: scratch("files.tar")) == [
                "0 0o755 0:0 315576000 9 entrypoint.sh",
                "0 0o600 70000000:7 315576000 0 \(long)",
            ]
        )
        #expect(try readFile(named: "entrypoint.sh", inTar: tar, limit: 9) == Array("#!/bin/sh".utf8))
        #expect(try readFile(named: long, inTar: tar, limit: 0) == [])
    }

    @Test func longestNameIsPacked() throws {
        let name = String(repeating: String(repeating: "ü", count: 127) + "/", count: 4) + "xxxx"
        #expect(name.utf8.count == 1024)
        let owner = FileOwnership(uid: .max, gid: .max)
        let tar = try packFiles([ArchiveFile(name: name, contents: [1], owner: owner)])
        #expect(try readFile(named: name, inTar: tar, limit: 1) == [1])
        let error = #expect(throws: ArchiveError.self) { try packFiles([ArchiveFile(name: name + "x", contents: [])]) }
        #expect(error?.code == .unsafeEntry)
    }

    @Test(arguments: ["", ".", "../x", "/x", "a\\b", "a\0b"])
    func f27UnsafeNamesAreNotPacked(name: String) {
        let error = #expect(throws: ArchiveError.self) { try packFiles([ArchiveFile(name: name, contents: [])]) }
        #expect(error?.code == .unsafeEntry)
    }

    @Test func duplicateFilesAreNotPacked() {
        let file = ArchiveFile(name: "a", contents: [])
        #expect(throws: ArchiveError.self) { try packFiles([file, file]) }
        #expect(throws: ArchiveError.self) { try packFiles([file, ArchiveFile(name: "a/b", contents: [])]) }
    }
}
