/// One entry of the central directory (APPNOTE 4.3.12), with the local header it points at (4.3.7).
struct CentralRecord {
    let entry: ZipDirectory.Entry
    /// The bytes it takes in the directory.
    let length: UInt64
    private let flags: UInt64
    private let method: UInt64

    init(
        at position: UInt64,
        end: ZipEnd,
        number: UInt64,
        file: borrowing InputFile,
        limits: ArchiveLimits
    ) throws(ArchiveError) {
        guard end.directoryEnd - position >= 46 else {
            throw ArchiveError(.truncated, "the central directory ends within entry \(number) of \(end.entries)")
        }
        let fixed = try file.bytes(at: position, count: 46)
        guard fixed.begins(with: [0x50, 0x4B, 1, 2]) else {
            throw ArchiveError(.corrupt, "entry \(number) of \(end.entries) is missing in the central directory")
        }
        let nameLength = Int(fixed.littleEndian(28, 2))
        let extraLength = Int(fixed.littleEndian(30, 2))
        length = 46 + UInt64(nameLength) + UInt64(extraLength) + fixed.littleEndian(32, 2)
        guard length <= end.directoryEnd - position else {
            throw ArchiveError(.truncated, "the central directory ends within entry \(number) of \(end.entries)")
        }
        let texts = try file.bytes(at: position + 46, count: nameLength + extraLength)
        let name = Array(texts.prefix(nameLength))
        guard name.count <= limits.maxPathBytes else {
            throw ArchiveError(
                .unsafeEntry,
                entry: name,
                "the path has \(name.count) bytes; up to \(limits.maxPathBytes) are allowed"
            )
        }
        guard !name.contains(0) else { throw ArchiveError(.unsafeEntry, entry: name, "the name contains a NUL byte") }

        try Self.checkOrigin(system: fixed[5], attributes: fixed.littleEndian(38, 4), name: name)
        flags = fixed.littleEndian(8, 2)
        method = fixed.littleEndian(10, 2)
        // Bit 0: encrypted, 6: strong encryption, 13: the directory is masked.
        guard flags & 0b0010_0000_0100_0001 == 0 else {
            throw ArchiveError(.encrypted, entry: name, "is encrypted; archives must be readable without a password")
        }
        guard method == 0 || method == 8 else {
            throw ArchiveError(
                .unsupported,
                entry: name,
                "is compressed with method \(method); stored (0) and deflate (8) are allowed"
            )
        }
        var large = try Zip64Extra(Array(texts.dropFirst(nameLength)), entry: name)
        let uncompressed = try large.resolve(fixed.littleEndian(24, 4))
        let compressed = try large.resolve(fixed.littleEndian(20, 4))
        let headerOffset = try large.resolve(fixed.littleEndian(42, 4))
        guard method == 8 || compressed == uncompressed else {
            throw ArchiveError(
                .corrupt,
                entry: name,
                "is stored as it is, yet has \(compressed) bytes there and \(uncompressed) outside"
            )
        }
        entry = ZipDirectory.Entry(
            name: name,
            headerOffset: headerOffset,
            compressed: compressed,
            uncompressed: uncompressed,
            crc: UInt32(fixed.littleEndian(16, 4))
        )
    }

    /// What libarchive lets pass: it takes a fifo for a file, and turns backslashes into separators wherever the zip was made.
    private static func checkOrigin(system: UInt8, attributes: UInt64, name: [UInt8]) throws(ArchiveError) {
        let hasBackslashSeparators = system == 0 || system == 10 || system == 14
        guard hasBackslashSeparators || !name.contains(UInt8(ascii: "\\")) else {
            throw ArchiveError(
                .unsafeEntry,
                entry: name,
                "the name contains a backslash; components are separated by /"
            )
        }
        // 3 is Unix, 19 is macOS: the upper half of the attributes is the file's mode there.
        let type = attributes >> 16 & 0o170000
        guard system != 3 && system != 19 || [0, 0o100000, 0o040000, 0o120000].contains(type) else {
            throw ArchiveError(
                .unsafeEntry,
                entry: name,
                "is a device, fifo or socket (mode 0\(String(attributes >> 16, radix: 8))); files, directories and symbolic links are allowed"
            )
        }
    }

    /// The bytes from the local header to the end of the data, once header and directory agree.
    func extent(end: ZipEnd, file: borrowing InputFile) throws(ArchiveError) -> Range<UInt64> {
        let cut = ArchiveError(
            .truncated,
            entry: entry.name,
            "its \(entry.compressed) bytes at \(entry.headerOffset) don't fit before the central directory"
        )
        guard entry.headerOffset < end.directoryOffset, end.directoryOffset - entry.headerOffset >= 30 else {
            throw cut
        }
        let fixed = try file.bytes(at: entry.headerOffset, count: 30)
        guard fixed.begins(with: [0x50, 0x4B, 3, 4]) else {
            throw ArchiveError(
                .corrupt,
                entry: entry.name,
                "there is no entry at \(entry.headerOffset), where the directory points"
            )
        }
        guard fixed.littleEndian(6, 2) & 1 == flags & 1, fixed.littleEndian(8, 2) == method else {
            throw ArchiveError(.corrupt, entry: entry.name, "directory and header disagree on its compression")
        }
        let nameLength = fixed.littleEndian(26, 2)
        let start = entry.headerOffset + 30 + nameLength + fixed.littleEndian(28, 2)
        guard start <= end.directoryOffset, entry.compressed <= end.directoryOffset - start else { throw cut }
        guard try file.bytes(at: entry.headerOffset + 30, count: Int(nameLength)) == entry.name else {
            throw ArchiveError(
                .corrupt,
                entry: entry.name,
                "has another name in its header than in the central directory"
            )
        }
        return entry.headerOffset..<(start + entry.compressed)
    }
}

/// The extra field with the 64-bit values that didn't fit (APPNOTE 4.5.3).
private struct Zip64Extra {
    private var values: [UInt64] = []
    private let entry: [UInt8]

    init(_ extra: [UInt8], entry: [UInt8]) throws(ArchiveError) {
        self.entry = entry
        var position = 0
        while extra.count - position >= 4 {
            let length = Int(extra.littleEndian(position + 2, 2))
            let start = position + 4
            guard length <= extra.count - start else {
                throw ArchiveError(.corrupt, entry: entry, "an extra field is longer than its place")
            }
            if extra.littleEndian(position, 2) == 1 {
                values = stride(from: start, to: start + length - length % 8, by: 8).map { extra.littleEndian($0, 8) }
                return
            }
            position = start + length
        }
    }

    /// The next 64-bit value where the 32-bit one only says that there is one.
    mutating func resolve(_ short: UInt64) throws(ArchiveError) -> UInt64 {
        guard short == 0xFFFF_FFFF else { return short }
        guard !values.isEmpty else { throw ArchiveError(.corrupt, entry: entry, "its zip64 sizes are missing") }
        return values.removeFirst()
    }
}
