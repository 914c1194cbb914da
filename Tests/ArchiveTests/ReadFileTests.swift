import Testing

@testable import Archive

@Suite struct ReadFileTests {
    private func tar() throws -> [UInt8] {
        try packFiles([
            ArchiveFile(name: "other", contents: [9]),
            ArchiveFile(name: "result.json", contents: [UInt8](repeating: 7, count: 200_000)),
        ])
    }

    @Test func fileIsFoundByItsName() throws {
        #expect(try readFile(named: "result.json", inTar: tar(), limit: 200_000)?.count == 200_000)
        #expect(try readFile(named: "./other", inTar: tar(), limit: 1) == [9])
        #expect(try readFile(named: "missing", inTar: tar(), limit: 1) == nil)
    }

    @Test func fileBeyondTheLimitIsRefused() throws {
        let error = #expect(throws: ArchiveError.self) {
            try readFile(named: "result.json", inTar: tar(), limit: 199_999)
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.entry == "result.json")
    }

    @Test func linkInPlaceOfTheFileIsRefused() throws {
        let scratch = try Scratch()
        for (type, link) in [("SYMTYPE", "/etc/shadow"), ("LNKTYPE", "a"), ("DIRTYPE", ""), ("FIFOTYPE", "")] {
            try python(
                """
                import sys, tarfile
                t = tarfile.open(sys.argv[1], 'w')
                i = tarfile.TarInfo('result.json'); i.type = getattr(tarfile, sys.argv[2]); i.linkname = sys.argv[3]
                t.addfile(i); t.close()
                """,
                scratch("link.tar"),
                type,
                link
            )
            let error = #expect(throws: ArchiveError.self) {
                try readFile(named: "result.json", inTar: scratch.read("link.tar"), limit: 100)
            }
            #expect(error?.code == .unsafeEntry)
        }
    }

    @Test func cutTarIsNotTakenForOneWithoutTheFile() throws {
        let whole = try tar()
        for length in [0, 100, 512, 1024, 1536, 2048, 100_000] {
            let error = #expect(throws: ArchiveError.self) {
                try readFile(named: "result.json", inTar: Array(whole.prefix(length)), limit: 1 << 20)
            }
            #expect(error?.code == (length == 0 ? .empty : .truncated), "\(length)")
        }
    }

    @Test func garbageIsRefused() {
        let garbage = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        let error = #expect(throws: ArchiveError.self) { try readFile(named: "a", inTar: garbage, limit: 10) }
        #expect(error?.code == .corrupt)
    }
}
