import Foundation
import Testing

@testable import Archive

@Suite struct HostileZipTests {
    typealias Entry = ZipWriter.Entry
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func expect(
        _ code: ArchiveError.Code,
        naming entry: String?,
        _ zip: [UInt8],
        limits: ArchiveLimits = ArchiveLimits(),
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let error = try scratch.refusal(zip, limits: limits)
        #expect(error.code == code, "\(error)", sourceLocation: location)
        #expect(error.entry == entry, "\(error)", sourceLocation: location)
        #expect(!error.isRetryable, sourceLocation: location)
    }

    @Test(arguments: [
        "../evil", "a/../../evil", "a/..", "..", "a/b/../c", "/etc/passwd", "//evil", "C:/evil", "c:evil", "z:",
    ])
    func f27TraversalAndAbsolutePathsAreRefused(name: String) throws {
        try expect(.unsafeEntry, naming: name, ZipWriter(.init("ok"), .init(name)).bytes())
    }

    @Test(arguments: ["..\\evil", "a\\..\\..\\evil", "\\evil", "a/..\\evil", "C:\\evil", "a\\b"])
    func f27BackslashTricksAreRefused(name: String) throws {
        let unix = ZipWriter(.init("ok"), .init(name)).bytes()
        let escaped = name.replacingOccurrences(of: "\\", with: "\\\\")
        try expect(.unsafeEntry, naming: escaped, unix)
    }

    @Test(arguments: ["..\\evil", "a\\..\\..\\evil", "\\evil", "C:\\evil"])
    func f27BackslashTricksOfFATAreRefused(name: String) throws {
        let zip = ZipWriter(.init("ok"), Entry(name).with { $0.system = 0 }).bytes()
        #expect(try scratch.refusal(zip).code == .unsafeEntry)
    }

    @Test func f27NULInANameIsRefused() throws {
        try expect(.unsafeEntry, naming: "a\\u{0}.py", ZipWriter(.init("a\0.py")).bytes())
        try expect(.unsafeEntry, naming: "../\\u{0}", ZipWriter(.init("../\0")).bytes())
    }

    @Test func f27EmptyNameIsRefused() throws {
        #expect(try scratch.refusal(ZipWriter(.init("ok"), .init("")).bytes()).code == .unsafeEntry)
        #expect(try scratch.refusal(ZipWriter(.init("ok"), .init("./.")).bytes()).code == .unsafeEntry)
    }

    @Test func f27NamesThatAreNotUTF8AreRefused() throws {
        for flags: UInt16 in [0, 0x800] {
            let entry = Entry(bytes: [0x61, 0xFF, 0x2E, 0x70]).with { $0.flags = flags }
            let error = try scratch.refusal(ZipWriter(.init("ok"), entry).bytes())
            #expect(error.entry == "a\\xff.p")
            #expect([.unsafeEntry, .corrupt].contains(error.code))
        }
    }

    @Test(arguments: [
        "/etc/passwd", "../outside", "../../etc", "sub/../../x", "a/..", "..", "", "..\\x", "./../..",
    ])
    func f27LinksThatLeaveTheRootAreRefused(target: String) throws {
        let error = try scratch.refusal(ZipWriter(.init("ok"), .link("link", to: target)).bytes())
        #expect([.unsafeEntry, .corrupt].contains(error.code), "\(error)")
        #expect(error.entry == "link")
    }

    @Test func f27LinkOneLevelTooHighIsRefusedAndAtTheRootKept() throws {
        try expect(.unsafeEntry, naming: "a/b/l", ZipWriter(.init("ok"), .link("a/b/l", to: "../../../x")).bytes())
        #expect(try scratch.repack(ZipWriter(.init("ok"), .link("a/b/l", to: "../../ok")).bytes()).entries == 4)
    }

    @Test(arguments: ["z/..", "../z/../w", "z/../../q"])
    func f27LinksThatClimbAfterANameAreRefused(target: String) throws {
        let zip = ZipWriter(.init("ok"), .link("x/y/deep/l", to: target)).bytes()
        try expect(.unsafeEntry, naming: "x/y/deep/l", zip)
    }

    @Test func f27NothingIsWrittenThroughALink() throws {
        try expect(
            .duplicate,
            naming: "d/evil",
            ZipWriter(.init("x/ok"), .link("d", to: "x"), .init("d/evil")).bytes()
        )
        try expect(
            .duplicate,
            naming: "d",
            ZipWriter(.init("x/ok"), .init("d/evil"), .link("d", to: "x")).bytes()
        )
        try expect(.duplicate, naming: "d", ZipWriter(.init("ok"), .link("d", to: "ok"), .init("d")).bytes())
    }

    @Test func f27LinkWithAWrongChecksumIsRefused() throws {
        let link = Entry.link("l", to: "ok").with { $0.crc = 1 }
        try expect(.corrupt, naming: "l", ZipWriter(.init("ok"), link).bytes())
    }

    @Test(arguments: [UInt32(0o020666), 0o060666, 0o010666, 0o140666])
    func f27DevicesFifosAndSocketsAreRefused(mode: UInt32) throws {
        try expect(.unsafeEntry, naming: "dev", ZipWriter(.init("ok"), .init("dev", "", mode: mode)).bytes())
    }

    @Test func f27DuplicatesAreRefusedAfterNormalisation() throws {
        try expect(.duplicate, naming: "a/b", ZipWriter(.init("a/b"), .init("./a//b")).bytes())
        try expect(.duplicate, naming: "d", ZipWriter(.init("f"), .directory("d/"), .directory("d/")).bytes())
        #expect(try scratch.repack(ZipWriter(.init("A"), .init("a")).bytes()).files == ["A", "a"])
    }

    @Test func f27FileAgainstDirectoryIsRefused() throws {
        try expect(.duplicate, naming: "a/b", ZipWriter(.init("a"), .init("a/b")).bytes())
        try expect(.duplicate, naming: "a", ZipWriter(.init("a/b"), .init("a")).bytes())
        try expect(.duplicate, naming: "a", ZipWriter(.init("a"), .directory("a/")).bytes())
        try expect(.corrupt, naming: "d", ZipWriter(.init("d/", "content", mode: 0o040755)).bytes())
    }

    @Test func f27LimitsOnBytesAreKept() throws {
        let zip = ZipWriter(.init("a", "12345"), .init("b", "67890")).bytes()
        try expect(.tooLarge, naming: "a", zip, limits: ArchiveLimits(maxFileBytes: 4))
        try expect(.tooLarge, naming: "b", zip, limits: ArchiveLimits(maxTotalBytes: 9))
        #expect(try scratch.repack(zip, limits: ArchiveLimits(maxTotalBytes: 10, maxFileBytes: 5)).bytes == 10)
    }

    @Test func f27LimitsOnEntriesCountImpliedDirectories() throws {
        let zip = ZipWriter(.init("a/b/c"), .init("d")).bytes()
        try expect(.tooManyEntries, naming: nil, zip, limits: ArchiveLimits(maxEntries: 1))
        try expect(.tooManyEntries, naming: "d", zip, limits: ArchiveLimits(maxEntries: 3))
        #expect(try scratch.repack(zip, limits: ArchiveLimits(maxEntries: 4)).entries == 4)
    }

    @Test func f27LimitsOnPathsAreKept() throws {
        let deep = String(repeating: "d/", count: 64) + "f"
        let error = try scratch.refusal(ZipWriter(.init(deep)).bytes())
        #expect(error.code == .unsafeEntry)
        #expect(error.message.contains("65 levels"))
        #expect(try scratch.refusal(ZipWriter(.init(String(repeating: "n", count: 256))).bytes()).code == .unsafeEntry)
        let long = try scratch.refusal(ZipWriter(.init(String(repeating: "n/", count: 600))).bytes())
        #expect(long.code == .unsafeEntry)
        #expect((long.entry?.utf8.count ?? 0) < 200)
    }

    @Test func f27BombIsRefusedByItsRatio() throws {
        let entry = Entry("zeros", String(repeating: "0", count: 60_000)).with { $0.method = 8 }
        let zip = ZipWriter(entry).bytes()
        #expect(try scratch.repack(zip, limits: ArchiveLimits(maxRatio: 1, ratioFloorBytes: 60_000)).bytes == 60_000)
        let other = try Scratch()
        let limits = ArchiveLimits(maxRatio: 0, ratioFloorBytes: 59_999)
        let error = try other.refusal(zip, limits: limits)
        #expect(error.code == .ratio)
        #expect(error.entry == "zeros")
    }

    @Test func f27EntriesThatShareTheirDataAreRefused() throws {
        let zip = ZipWriter(.init("a"), Entry("a").with { $0.headerOffset = 0 }).bytes()
        try expect(.corrupt, naming: "a", zip)
    }

    @Test func f27TwoNamesForOneEntryAreRefused() throws {
        try expect(.corrupt, naming: "a", ZipWriter(Entry("a").with { $0.localName = Array("b".utf8) }).bytes())
    }

    @Test(arguments: [UInt16(1), 0x41, 0x2001])
    func f27EncryptedEntriesAreRefused(flags: UInt16) throws {
        try expect(
            .encrypted,
            naming: "secret",
            ZipWriter(.init("ok"), Entry("secret").with { $0.flags = flags }).bytes()
        )
    }

    @Test func f27RareCompressionIsRefused() throws {
        try expect(.unsupported, naming: "a", ZipWriter(Entry("a").with { $0.method = 98 }).bytes())
    }

    @Test(arguments: [UInt16(0), 8])
    func f27WrongChecksumIsRefused(method: UInt16) throws {
        let entry = Entry("bad").with {
            $0.crc = 0xDEAD_BEEF
            $0.method = method
        }
        try expect(.corrupt, naming: "bad", ZipWriter(.init("ok"), entry).bytes())
    }

    @Test(arguments: [UInt32(1), 6, 8, 100, 65_000])
    func f27WrongSizeIsRefused(size: UInt32) throws {
        let entry = Entry("bad").with {
            $0.announcedSize = size
            $0.method = 8
        }
        let error = try scratch.refusal(ZipWriter(.init("ok"), entry).bytes())
        #expect([.corrupt, .truncated].contains(error.code), "\(error)")
        #expect(error.entry == "bad")
    }

    @Test func f27EveryCutIsNoticed() throws {
        let zip = ZipWriter(.init("a", "1"), .init("b/c", "2"), .link("l", to: "a")).bytes()
        for length in 0..<zip.count {
            let error = try scratch.refusal(Array(zip.prefix(length)))
            let allowed: [ArchiveError.Code] = length == 0 ? [.empty] : length < 4 ? [.notAZip] : [.truncated]
            #expect(allowed.contains(error.code), "\(length): \(error)")
        }
    }

    @Test func f27EveryByteCutFromTheDirectoryIsNoticed() throws {
        let zip = ZipWriter(.init("a", "1"), .init("b", "2")).bytes()
        let start = try #require(zip.indices.first { zip[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
        for length in 1..<(zip.count - 22 - start) {
            let cut = Array(zip[..<(zip.count - 22 - length)] + zip[(zip.count - 22)...])
            #expect(try scratch.refusal(cut).code == .truncated)
        }
    }

    @Test(arguments: [0, 1, 3, 400, 65_535])
    func f27AnnouncedNumberOfEntriesMustBeRight(announced: Int) throws {
        var writer = ZipWriter(.init("a"), .init("b"))
        writer.announcedEntries = announced
        let error = try scratch.refusal(writer.bytes())
        #expect([.truncated, .corrupt, .empty, .tooManyEntries].contains(error.code), "\(error)")
    }

    @Test func f27EntriesBeyondTheAnnouncedNumberAreRefused() throws {
        var writer = ZipWriter(.init("a"), .init("hidden"))
        writer.announcedEntries = 1
        let error = try scratch.refusal(writer.bytes())
        #expect(error.code == .corrupt)
        #expect(error.message.contains("more than the 1 entries announced"))
    }

    @Test func f27WhatIsNoZipIsRefused() throws {
        try expect(.empty, naming: nil, [])
        try expect(.empty, naming: nil, ZipWriter().bytes())
        try expect(.empty, naming: nil, ZipWriter(.directory("a/"), .directory("b/")).bytes())
        try expect(.notAZip, naming: nil, Array("#!/bin/sh\necho no".utf8))
        try expect(.notAZip, naming: nil, [0x1F, 0x8B, 8, 0])
        try expect(.notAZip, naming: nil, [0] + ZipWriter(.init("a")).bytes())
        try expect(.notAZip, naming: nil, try packFiles([ArchiveFile(name: "a", contents: [1])]))
        try expect(.truncated, naming: nil, [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 40_000))
        try expect(.corrupt, naming: nil, ZipWriter(.init("a")).bytes() + [0])
    }

    @Test func f27FolderOrFifoInPlaceOfTheZipIsRefused() throws {
        try FileManager.default.createDirectory(atPath: scratch("folder"), withIntermediateDirectories: false)
        #expect(mkfifo(scratch("fifo"), 0o600) == 0)
        for name in ["folder", "fifo"] {
            let error = #expect(throws: ArchiveError.self) {
                try repackZip(at: scratch(name), to: scratch("code.tar"), owner: .root)
            }
            #expect(error?.code == .unsupported)
        }
    }

    @Test func f27ErrorsAreFitForALogLine() throws {
        let error = try scratch.refusal(ZipWriter(.init("../\u{1B}[2J\n\u{202E}\"evil")).bytes())
        #expect(error.entry == "../\\u{1b}[2J\\u{a}\\u{202e}\\\"evil")
        #expect(error.description.hasPrefix("archive unsafeEntry: entry \"../"))
        #expect(!error.description.contains("\n"))
    }
}
