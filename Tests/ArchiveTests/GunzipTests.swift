import Foundation
import Testing

@testable import Archive

@Suite struct GunzipTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Compresses with Python; `change` may do something to the bytes `b`.
    private func gzip(_ content: String, change: String = "") throws -> String {
        try python(
            "import sys, gzip\nb = gzip.compress(\(content))\n\(change)\nopen(sys.argv[1], 'wb').write(b)",
            scratch("x.gz")
        )
        return scratch("x.gz")
    }

    @Test func contentComesOut() throws {
        let path = try gzip("bytes(range(256)) * 4096")
        #expect(try gunzip(at: path, to: scratch("x"), limit: 1 << 20) == 1 << 20)
        #expect(try scratch.read("x") == (0..<4096).flatMap { _ in (0...255).map { UInt8($0) } })
    }

    @Test(arguments: [
        ("b = b[:-1]", ArchiveError.Code.corrupt), ("b = b[:-8]", .corrupt), ("b = b[:len(b) // 2]", .corrupt),
        ("b = b[:5]", .corrupt), ("b = b''", .corrupt), ("b = b + b'x'", .corrupt), ("b = b + b", .corrupt),
        ("b = gzip.compress(b'')", .corrupt),
        ("b = b'PK' + b", .corrupt),
        // Another checksum, another length.
        ("b = b[:-8] + bytes([b[-8] ^ 1]) + b[-7:]", .corrupt), ("b = b[:-1] + bytes([b[-1] ^ 1])", .corrupt),
    ])
    func whatIsCutOrDamagedIsRefused(_ change: String, _ code: ArchiveError.Code) throws {
        let path = try gzip("bytes(range(256)) * 100", change: change)
        let error = try #require(throws: ArchiveError.self) { try gunzip(at: path, to: scratch("x"), limit: 1 << 20) }
        #expect(error.code == code)
        #expect(try scratch.tree() == ["x.gz"])
    }

    @Test func everyDamagedByteIsNoticed() throws {
        let path = try gzip("b'the state of a bot, which matters ' * 3")
        let whole = try scratch.read("x.gz")
        // Flags, time and system of the header say nothing about the content.
        for index in whole.indices where index < 2 || index >= 10 {
            var damaged = whole
            damaged[index] ^= 0x10
            try scratch.write(damaged, to: "x.gz")
            #expect(throws: ArchiveError.self, "byte \(index)") {
                try gunzip(at: path, to: scratch("x"), limit: 1 << 20)
            }
        }
    }

    @Test func bombsAreCutOff() throws {
        let path = try gzip("bytes(10_000_000)")
        let error = try #require(throws: ArchiveError.self) { try gunzip(at: path, to: scratch("x"), limit: 1 << 20) }
        #expect(error.code == .tooLarge && error.message.contains("1048576"))
        #expect(try scratch.tree() == ["x.gz"])
    }

    @Test func nothingIsOverwritten() throws {
        let path = try gzip("b'x'")
        try scratch.write([1], to: "there")
        let error = try #require(throws: ArchiveError.self) { try gunzip(at: path, to: scratch("there"), limit: 10) }
        #expect(error.code == .io)
        #expect(try scratch.read("there") == [1])
    }
}
