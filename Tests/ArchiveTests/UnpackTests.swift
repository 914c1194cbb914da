import Foundation
import Testing

@testable import Archive

@Suite struct UnpackTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Makes `hostile.tar` with Python: `body` uses `add(name, type, content, link)`.
    private func tar(_ body: String) throws -> String {
        try python(
            """
            import sys, tarfile, io
            t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
            def add(name, type=tarfile.REGTYPE, content=b'x', link=''):
                i = tarfile.TarInfo(name); i.type = type; i.linkname = link; i.mode = 0o755
                i.size = len(content) if type == tarfile.REGTYPE else 0
                t.addfile(i, io.BytesIO(content))
            """ + "\n" + body + "\nt.close()",
            scratch("hostile.tar")
        )
        return scratch("hostile.tar")
    }

    private func refusal(_ body: String, limits: ArchiveLimits = ArchiveLimits()) throws -> ArchiveError {
        let path = try tar(body)
        let error = try #require(throws: ArchiveError.self) {
            try unpack(tar: path, into: scratch("out"), limits: limits)
        }
        #expect(try scratch.tree() == ["hostile.tar"])
        #expect(try scratch.openDescriptors().isEmpty)
        return error
    }

    @Test func treeIsAsInTheArchive() throws {
        _ = try scratch.repack(
            ZipWriter(
                .init("bin/run", "#!", mode: 0o100711),
                .link("bin/l", to: "run"),
                .init("größe", "ü"),
                .directory("e/")
            ).bytes()
        )
        try unpack(tar: scratch("code.tar"), into: scratch("out"))
        #expect(try scratch.tree("out") == ["bin", "bin/l", "bin/run", "e", "größe"])
        #expect(try scratch.text("out/bin/l") == "#!")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch("out/bin/l")) == "run")
        let mode = try FileManager.default.attributesOfItem(atPath: scratch("out/bin/run"))[.posixPermissions] as? Int
        #expect(mode == 0o755)
    }

    @Test func emptyTarGivesAnEmptyDirectory() throws {
        let tar = try packFiles([])
        #expect(tar == [UInt8](repeating: 0, count: 1024))
        try scratch.write(tar, to: "empty.tar")
        try unpack(tar: scratch("empty.tar"), into: scratch("out"))
        #expect(try scratch.tree() == ["empty.tar", "out"])
    }

    @Test func f26DirectoryWithContentIsLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: scratch("out"), withIntermediateDirectories: false)
        try scratch.write([1], to: "out/old.py")
        let path = try tar("add('new.py')")
        let error = #expect(throws: ArchiveError.self) { try unpack(tar: path, into: scratch("out")) }
        #expect(error?.code == .duplicate)
        #expect(try scratch.tree("out") == ["old.py"])
    }

    @Test func f27EmptyDirectoryStaysAfterAFailure() throws {
        try FileManager.default.createDirectory(atPath: scratch("out"), withIntermediateDirectories: false)
        let path = try tar("add('a/b/c'); add('l', tarfile.SYMTYPE, link='a'); add('../evil')")
        #expect(throws: ArchiveError.self) { try unpack(tar: path, into: scratch("out")) }
        #expect(try scratch.tree() == ["hostile.tar", "out"])
    }

    @Test(arguments: [
        "add('../evil')", "add('/etc/evil')", "add('a/../../evil')", "add('C:evil')", "add('a\\\\b')",
        "add('h', tarfile.LNKTYPE, link='/etc/passwd')", "add('ok'); add('h', tarfile.LNKTYPE, link='ok')",
        "add('d', tarfile.CHRTYPE)", "add('d', tarfile.BLKTYPE)", "add('f', tarfile.FIFOTYPE)",
        "add('l', tarfile.SYMTYPE, link='/etc')", "add('l', tarfile.SYMTYPE, link='../x')",
        "add('a/l', tarfile.SYMTYPE, link='../..')", "add('l', tarfile.SYMTYPE, link='a/../../x')",
    ])
    func f27UnsafeTarsAreRefused(body: String) throws {
        let error = try refusal("add('first/file')\n" + body)
        #expect(error.code == .unsafeEntry, "\(error)")
        #expect(error.entry != nil)
    }

    @Test func f27NothingIsWrittenThroughALink() throws {
        try FileManager.default.createDirectory(atPath: scratch("outside"), withIntermediateDirectories: false)
        for body in [
            "add('real/x'); add('l', tarfile.SYMTYPE, link='real'); add('l/evil')",
            "add('l', tarfile.SYMTYPE, link='real'); add('l')",
            "add('l', tarfile.SYMTYPE, link='real'); add('l', tarfile.DIRTYPE); add('l/evil')",
        ] {
            let path = try tar(body)
            let error = #expect(throws: ArchiveError.self) { try unpack(tar: path, into: scratch("out")) }
            #expect(error?.code == .duplicate)
            #expect(try scratch.tree() == ["hostile.tar", "outside"])
        }
    }

    @Test func f27LimitsAreKept() throws {
        #expect(try refusal("add('a', content=b'12345')", limits: ArchiveLimits(maxFileBytes: 4)).code == .tooLarge)
        let two = "add('a', content=b'123'); add('b', content=b'456')"
        #expect(try refusal(two, limits: ArchiveLimits(maxTotalBytes: 5)).code == .tooLarge)
        #expect(try refusal("add('a/b/c/d')", limits: ArchiveLimits(maxEntries: 3)).code == .tooManyEntries)
        #expect(try refusal("add('a'); add('a')").code == .duplicate)
    }

    @Test func f27EveryCutIsNoticed() throws {
        let tar = try packFiles([
            ArchiveFile(name: "a", contents: Array("content".utf8)), ArchiveFile(name: "b", contents: []),
            ArchiveFile(name: String(repeating: "n", count: 200), contents: [1]),
        ])
        for length in stride(from: 0, to: tar.count, by: 128) {
            try scratch.write(Array(tar.prefix(length)), to: "cut.tar")
            let error = #expect(throws: ArchiveError.self) { try unpack(tar: scratch("cut.tar"), into: scratch("out")) }
            #expect(error?.code == (length == 0 ? .empty : .truncated), "\(length): \(String(describing: error))")
            #expect(try scratch.tree() == ["cut.tar"])
        }
    }

    @Test func f27WhatIsNoTarIsRefused() throws {
        for bytes in [Array("hello".utf8), [UInt8](repeating: 7, count: 4096), ZipWriter(.init("a")).bytes()] {
            try scratch.write(bytes, to: "no.tar")
            let error = #expect(throws: ArchiveError.self) { try unpack(tar: scratch("no.tar"), into: scratch("out")) }
            #expect([.corrupt, .truncated].contains(error?.code))
            #expect(try scratch.tree() == ["no.tar"])
        }
    }
}
