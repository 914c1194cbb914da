import Foundation
import Testing

@testable import Archive

@Suite struct RepackTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func tarHasNormalisedNamesOwnersModesAndTimes() throws {
        let summary = try scratch.repack(
            ZipWriter(
                .init("./main.py", "print(1)", mode: 0o100600),
                .init("bin//run", "#!", mode: 0o104755),
                .directory("data/"),
                .init("data/größe-日本.txt", "ü", mode: 0o100640),
                .link("bin/latest", to: "./run"),
                .link("data/up", to: "../bin/run")
            ).bytes()
        )
        #expect(
            try listing(ofTar: scratch("code.tar")) == [
                "0 0o644 1000:2000 315576000 8 main.py",
                "5 0o755 1000:2000 315576000 0 bin",
                "0 0o755 1000:2000 315576000 2 bin/run",
                "5 0o755 1000:2000 315576000 0 data",
                "0 0o644 1000:2000 315576000 2 data/größe-日本.txt",
                "2 0o777 1000:2000 315576000 0 bin/latest run",
                "2 0o777 1000:2000 315576000 0 data/up ../bin/run",
            ]
        )
        #expect(summary.entries == 7)
        #expect(summary.bytes == 12)
        #expect(summary.files == ["main.py", "bin/run", "data/größe-日本.txt"])
    }

    @Test func sameZipGivesTheSameBytes() throws {
        let zip = ZipWriter(.init("a/b/c.py"), .init("z", "ü")).bytes()
        _ = try scratch.repack(zip)
        let first = try scratch.read("code.tar")
        let other = try Scratch()
        _ = try other.repack(zip)
        #expect(try other.read("code.tar") == first)
        #expect(first.count % 512 == 0)
    }

    @Test func localeOfTheProcessIsLeftAlone() throws {
        let before = String(cString: setlocale(LC_ALL, nil))
        let thread = uselocale(nil)
        _ = try scratch.repack(ZipWriter(.init("größe")).bytes())
        #expect(String(cString: setlocale(LC_ALL, nil)) == before)
        #expect(uselocale(nil) == thread)
        _ = try Scratch().refusal(ZipWriter(.init("größe"), .init("../evil")).bytes())
        #expect(uselocale(nil) == thread)
    }

    @Test func zipsOfPythonAreRead() throws {
        try python(
            """
            import sys, zipfile, io
            class Pipe(io.RawIOBase):
                def __init__(self, f): self.f = f
                def writable(self): return True
                def write(self, b): return self.f.write(b)
            with open(sys.argv[1], 'wb') as f, zipfile.ZipFile(Pipe(f), 'w', zipfile.ZIP_DEFLATED) as z:
                z.writestr('main.py', 'print(1)\\n' * 1000)
                z.writestr('leer/größe.txt', b'')
                with z.open('big64', 'w', force_zip64=True) as g: g.write(b'x' * 70000)
            """,
            scratch("code.zip")
        )
        let summary = try repackZip(at: scratch("code.zip"), to: scratch("code.tar"), owner: .root)
        #expect(summary.files == ["main.py", "leer/größe.txt", "big64"])
        #expect(summary.bytes == 79_000)
        try unpack(tar: scratch("code.tar"), into: scratch("out"))
        #expect(try scratch.text("out/main.py") == String(repeating: "print(1)\n", count: 1000))
    }

    @Test func directoryInAnyOrderIsRead() throws {
        try python(
            """
            import sys, zipfile
            with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
                for n in range(20): z.writestr(f'{n:02}', 'x' * n)
                z.writestr('__MACOSX/._00', 'mac')
                z.filelist.reverse()
            """,
            scratch("code.zip")
        )
        let summary = try repackZip(at: scratch("code.zip"), to: scratch("code.tar"), owner: .root)
        #expect(summary.files.count == 21)
        #expect(summary.files.first == "00")
        #expect(try readFile(named: "19", inTar: scratch.read("code.tar"), limit: 100)?.count == 19)
    }

    @Test func zip64EndRecordIsRead() throws {
        var zip = ZipWriter(.init("main.py")).bytes()
        let end = zip.count - 22
        let size = zip[(end + 12)..<(end + 16)]
        let offset = zip[(end + 16)..<(end + 20)]
        let record: [UInt8] =
            [0x50, 0x4B, 6, 6] + le(UInt64(44)) + le(UInt16(45)) + le(UInt16(45)) + le(UInt32(0)) + le(UInt32(0))
            + le(UInt64(1)) + le(UInt64(1)) + size + le(UInt32(0)) + offset + le(UInt32(0))
        let locator: [UInt8] = [0x50, 0x4B, 6, 7] + le(UInt32(0)) + le(UInt64(end)) + le(UInt32(1))
        let short: [UInt8] = zip[end..<(end + 8)] + [UInt8](repeating: 0xFF, count: 12) + le(UInt16(0))
        zip = zip[..<end] + record + locator + short
        #expect(try scratch.repack(zip).files == ["main.py"])

        var contradicting = zip
        contradicting[contradicting.count - 22 + 8] = 7
        contradicting[contradicting.count - 22 + 9] = 0
        contradicting[contradicting.count - 22 + 10] = 7
        contradicting[contradicting.count - 22 + 11] = 0
        let other = try Scratch()
        #expect(try other.refusal(contradicting).code == .corrupt)
    }

    @Test func backslashesOfZipsMadeOnWindowsAreSeparators() throws {
        let zip = ZipWriter(
            ZipWriter.Entry("lib\\main.py").with {
                $0.system = 0
                $0.mode = 0
            }
        ).bytes()
        #expect(try scratch.repack(zip).files == ["lib/main.py"])
    }

    @Test func existingDestinationIsLeftAlone() throws {
        try scratch.write([1, 2, 3], to: "code.tar")
        let error = #expect(throws: ArchiveError.self) { try scratch.repack(ZipWriter(.init("a")).bytes()) }
        #expect(error?.code == .io)
        #expect(try scratch.read("code.tar") == [1, 2, 3])
    }

    @Test func missingSourceIsAnErrorOfTheSystem() throws {
        let error = #expect(throws: ArchiveError.self) {
            try repackZip(at: scratch("none"), to: scratch("code.tar"), owner: .root)
        }
        #expect(error?.code == .io)
        #expect(error?.isRetryable == true)
        #expect(error?.cause?.number == ENOENT)
    }

    @Test func destinationThatCannotBeMadeIsRetryable() throws {
        let zip = try scratch.write(ZipWriter(.init("a")).bytes(), to: "code.zip")
        let error = #expect(throws: ArchiveError.self) {
            try repackZip(at: zip, to: scratch("missing/code.tar"), owner: .root)
        }
        #expect(error?.isRetryable == true)
        #expect(try scratch.tree() == ["code.zip"])
    }

    @Test func fullDiskIsRetryable() throws {
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let error = #expect(throws: ArchiveError.self) {
            try UTF8Locale.use { () throws(ArchiveError) in
                var writer = try TarWriter.open(TarSink(descriptor: full))
                try writer.finish()
            }
        }
        #expect(error?.cause?.number == ENOSPC)
        #expect(error?.isRetryable == true)
    }

    @Test func cancelledTaskStops() async throws {
        let zip = try scratch.write(ZipWriter(.init("a")).bytes(), to: "code.zip")
        let tar = scratch("code.tar")
        let task = Task { () -> ArchiveError.Code? in
            withUnsafeCurrentTask { $0?.cancel() }
            do throws(ArchiveError) {
                _ = try repackZip(at: zip, to: tar, owner: .root)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(await task.value == .cancelled)
        #expect(try scratch.tree() == ["code.zip"])
    }

    @Test(.timeLimit(.minutes(5))) func nearlyAsManyEntriesAsAllowedAreRepacked() throws {
        try python(
            """
            import sys, zipfile
            with zipfile.ZipFile(sys.argv[1], 'w') as z:
                for n in range(19000): z.writestr(f'node_modules/package-{n // 100}/lib/dist/file-{n}.js', 'x')
            """,
            scratch("code.zip")
        )
        let summary = try repackZip(at: scratch("code.zip"), to: scratch("code.tar"), owner: .root)
        #expect(summary.entries == 19_000 + 1 + 190 * 3)
        try unpack(tar: scratch("code.tar"), into: scratch("out"))
        #expect(try scratch.text("out/node_modules/package-189/lib/dist/file-18999.js") == "x")
    }

    @Test func f27LargeFileIsStreamedInBoundedMemory() throws {
        try python(
            """
            import sys, zipfile
            with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z:
                with z.open('zeros', 'w') as f:
                    for _ in range(300): f.write(bytes(1 << 20))
            """,
            scratch("code.zip")
        )
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        let before = try peakMemory()
        let summary = try repackZip(
            at: scratch("code.zip"),
            to: scratch("code.tar"),
            owner: .root,
            limits: ArchiveLimits(maxRatio: 2000)
        )
        #expect(summary.bytes == 300 << 20)
        // Other tests run in this process meanwhile: the bound only has to tell streaming from holding all 300 MiB.
        #expect(try peakMemory() - before < 250 << 10)

        let refused = #expect(throws: ArchiveError.self) {
            try repackZip(at: scratch("code.zip"), to: scratch("bomb.tar"), owner: .root)
        }
        #expect(refused?.code == .ratio)
        #expect(try scratch.tree() == ["code.tar", "code.zip"])
    }

    /// The highest resident size so far, in KiB.
    private func peakMemory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { Int($0) }.first)
    }
}
