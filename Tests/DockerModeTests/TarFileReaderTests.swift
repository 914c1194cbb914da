import TestSupport
import Testing

@testable import DockerMode

@Suite struct TarFileReaderTests {
    /// A header whose checksum is right.
    private func header(
        _ name: String = "result.json",
        size: String,
        type: Character = "0",
        change: (inout [UInt8]) -> Void = { _ in }
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        put(name, at: 0)
        put("0000644\0", at: 100)
        put(size, at: 124)
        put("00000000000\0", at: 136)
        put("        ", at: 148)
        put(String(type), at: 156)
        put("ustar\0" + "00", at: 257)
        change(&header)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
        return header
    }

    private func octal(_ number: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: 11 - text.count) + text + "\0"
    }

    private func padded(_ text: String) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0, count: (512 - text.utf8.count % 512) % 512)
    }

    private let end = [UInt8](repeating: 0, count: 1024)

    private func file(_ text: String) -> [UInt8] { header(size: octal(text.utf8.count)) + padded(text) + end }

    private func record(_ text: String) -> [UInt8] {
        var length = text.utf8.count + 2
        while "\(length) \(text)\n".utf8.count != length { length += 1 }
        return Array("\(length) \(text)\n".utf8)
    }

    private func extended(_ records: String..., then rest: [UInt8]) -> [UInt8] {
        let text = String(decoding: records.flatMap(record), as: UTF8.self)
        return header("PaxHeaders.0/result.json", size: octal(text.utf8.count), type: "x") + padded(text) + rest
    }

    private func read(_ tar: [UInt8], limit: Int = 1000, pieces: Int = .max) throws(TarFileReader.Failure) -> [UInt8] {
        var reader = TarFileReader(name: "result.json", limit: limit)
        var rest = tar[...]
        while !rest.isEmpty {
            try reader.add(Array(rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
        }
        return try reader.finish()
    }

    @Test(arguments: [1, 7, 511, 512, 513, 100_000])
    func aFileIsReadHoweverItsTarIsCutIntoPieces(_ pieces: Int) throws {
        for text in ["", "x", "{\"a\": 1}", String(repeating: "y", count: 512), String(repeating: "z", count: 1000)] {
            #expect(try read(file(text), pieces: pieces) == Array(text.utf8))
            let tar = extended("mtime=1.5", "LIBARCHIVE.xattr.a=\n\n", "path=result.json", then: file(text))
            #expect(try read(tar, pieces: pieces) == Array(text.utf8))
        }
    }

    @Test func whatWasPackedForImagesIsRead() throws {
        var tar = TarBlocks()
        tar.addFile("result.json", mode: 0o644, contents: "{}")
        tar.finish()
        #expect(try read(tar.bytes) == Array("{}".utf8))
        // A prepared image's folder comes first.
        var folder = TarBlocks()
        folder.addDirectory("bot", mode: 0o1777)
        folder.addFile("bot/x", mode: 0o644, contents: "{}")
        folder.finish()
        let bytes = folder.bytes
        #expect(throws: TarFileReader.Failure.refused("is a folder, not a file")) { try read(bytes) }
    }

    @Test func sizesInEveryFormAreUnderstood() throws {
        #expect(try read(header(size: "3      \0") + padded("abc") + end) == Array("abc".utf8))
        #expect(try read(header(size: "     000003 ") + padded("abc") + end) == Array("abc".utf8))
        // GNU's number, as of files of 8 GiB and more.
        let binary = header(size: "") {
            $0.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0, count: 10) + [3])
        }
        #expect(try read(binary + padded("abc") + end) == Array("abc".utf8))
        // A record's size counts more than the header's.
        #expect(try read(extended("size=3", then: header(size: octal(0)) + padded("abc") + end)) == Array("abc".utf8))
        // GNU's long names come as entries of their own.
        let long = header("././@LongLink", size: octal(5), type: "L") + padded("long\0")
        #expect(try read(long + file("abc")) == Array("abc".utf8))
        #expect(
            try read(header("g", size: octal(9), type: "g") + padded("9 a=bcde\n") + file("abc")) == Array("abc".utf8)
        )
    }

    @Test func theLimitIsTheFilesOwnSizeWhatIsAnnouncedCounts() throws {
        let text = String(repeating: "x", count: 1000)
        #expect(try read(file(text), limit: 1000).count == 1000)
        let refusal = TarFileReader.Failure.refused("has 1000 bytes; allowed are 999")
        #expect(throws: refusal) { try read(file(text), limit: 999) }
        // Refused at the header: nobody waits for a terabyte.
        #expect(throws: TarFileReader.Failure.self) { try read(header(size: "77777777777\0"), limit: 999) }
        #expect(throws: refusal) { try read(extended("size=1000", then: header(size: octal(1))), limit: 999) }
        let huge = header(size: "") {
            $0.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xFF, count: 11))
        }
        #expect(throws: TarFileReader.Failure.broken("a header has no size")) { try read(huge) }
    }

    @Test(arguments: [
        ("1", "is a link, not a file"), ("2", "is a link, not a file"), ("3", "is no file"), ("4", "is no file"),
        ("5", "is a folder, not a file"), ("6", "is no file"), ("7", "is no file"), ("S", "is a sparse file"),
        ("D", "is no file"),
    ])
    func whatIsNoPlainFileIsRefused(_ type: Character, _ reason: String) {
        #expect(throws: TarFileReader.Failure.refused(reason)) { try read(header(size: octal(0), type: type) + end) }
    }

    @Test(arguments: ["other", "result.jso", "result.jsonx", "a/result.json", ""])
    func aFileOfAnotherNameIsWhereALinkLed(_ name: String) {
        #expect(throws: TarFileReader.Failure.refused("is a link, not a file")) {
            try read(header(name, size: octal(3)) + padded("abc") + end)
        }
    }

    @Test func sparseFilesInRecordsAndEmptyTarsAreRefused() {
        let sparse = extended("GNU.sparse.major=1", "GNU.sparse.realsize=1000000", then: file("0\n"))
        #expect(throws: TarFileReader.Failure.refused("is a sparse file")) { try read(sparse) }
        #expect(throws: TarFileReader.Failure.refused("is no file")) { try read(end) }
    }

    @Test func aTarThatIsNoneOrIsCutIsBroken() {
        let whole = file("abc")
        for length in [0, 1, 511, 512, 514] {
            #expect(throws: TarFileReader.Failure.broken("it is cut")) { try read(Array(whole.prefix(length))) }
        }
        for text in ["5 a=b\n", "99 a=b\n", "6 a b\n", "0 a=b\n", "-6 a=b\n", "x", "6 a=bc", "9 size=x\n"] {
            let tar = header(size: octal(text.utf8.count), type: "x") + padded(text) + whole
            #expect(throws: TarFileReader.Failure.self, "\(text)") { try read(tar) }
        }
        var wrong = whole
        wrong[3] ^= 1
        #expect(throws: TarFileReader.Failure.broken("a header's checksum is wrong")) { try read(wrong) }
        #expect(throws: TarFileReader.Failure.broken("something follows its file")) {
            try read(header(size: octal(3)) + padded("abc") + whole)
        }
        #expect(throws: TarFileReader.Failure.broken("something follows its file")) {
            try read(whole + [UInt8](repeating: 0, count: 1 << 17))
        }
        #expect(throws: TarFileReader.Failure.broken("2097152 bytes of records")) {
            try read(header(size: octal(2 << 20), type: "x"))
        }
    }

    @Test func whateverComesIsAFileWithinTheLimitOrAFailure() throws {
        let tars = [
            file("{\"a\": 1}"), extended("size=3", "mtime=1.25", then: file("abc")),
            header(size: octal(0), type: "5") + end,
            extended("GNU.sparse.major=1", then: file("abc")),
            header("././@LongLink", size: octal(5), type: "L") + padded("long\0") + file("abc"),
        ]
        var mutator = Mutator(tars, words: ["size=", "11 size=999\n", "ustar", "00000000003\0"], seed: 28)
        var read = 0
        for _ in 0..<3000 {
            let bytes = mutator.next()
            let limit = mutator.number(0...2000)
            do throws(TarFileReader.Failure) {
                let found = try self.read(bytes, limit: limit, pieces: mutator.number(1...1024))
                read += 1
                #expect(found.count <= limit)
            } catch {
                // Cut the same way, it fails the same way.
                #expect(throws: error) { try self.read(bytes, limit: limit) }
            }
        }
        #expect(read > 50)
    }
}
