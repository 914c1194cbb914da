/// The end of a zip: where its central directory lies and how many entries are announced (APPNOTE 4.3.14 to 4.3.16).
struct ZipEnd {
    let entries: UInt64
    let directoryOffset: UInt64
    let directoryEnd: UInt64

    private static let recordSize = 22
    /// libarchive 3.6 looks no further back than this for the record.
    private static let window = 16 << 10

    /// Finds the record as libarchive does, the last one in the file, so that both read the same directory.
    static func read(from file: borrowing InputFile) throws(ArchiveError) -> ZipEnd {
        let count = Int(min(file.size, UInt64(window)))
        let start = file.size - UInt64(count)
        let tail = try file.bytes(at: start, count: count)
        guard
            let position = tail.indices.dropLast(recordSize - 1).last(where: {
                tail[$0] == 0x50 && tail.begins(with: [0x50, 0x4B, 5, 6], at: $0)
            })
        else { throw ArchiveError(.truncated, "the zip's end record is missing: the file was cut, or isn't a zip") }

        let record = Array(tail[position..<(position + recordSize)])
        let comment = Int(record.littleEndian(20, 2))
        let following = count - position - recordSize
        guard following >= comment else {
            throw ArchiveError(.truncated, "the zip's comment has \(following) of the \(comment) bytes announced")
        }
        guard following == comment else {
            throw ArchiveError(.corrupt, "there are \(following - comment) bytes after the end of the zip")
        }
        let recordStart = start + UInt64(position)
        let plain = Fields(
            disks: [record.littleEndian(4, 2), record.littleEndian(6, 2)],
            entriesHere: record.littleEndian(8, 2),
            entries: record.littleEndian(10, 2),
            size: record.littleEndian(12, 4),
            offset: record.littleEndian(16, 4)
        )
        guard let large = try zip64(before: recordStart, in: file) else {
            return try plain.checked(directoryEnd: recordStart)
        }
        guard plain.agrees(with: large.fields) else {
            throw ArchiveError(.corrupt, "the zip's two end records contradict each other")
        }
        return try large.fields.checked(directoryEnd: large.start)
    }

    /// The record of large archives, if the locator that must stand right before `end` is there.
    private static func zip64(
        before end: UInt64,
        in file: borrowing InputFile
    ) throws(ArchiveError) -> (fields: Fields, start: UInt64)? {
        guard end >= 20 else { return nil }
        let locatorStart = end - 20
        let locator = try file.bytes(at: locatorStart, count: 20)
        guard locator.begins(with: [0x50, 0x4B, 6, 7]) else { return nil }
        let start = locator.littleEndian(8, 8)
        guard locator.littleEndian(4, 4) == 0, locator.littleEndian(16, 4) <= 1 else { throw severalDisks }
        guard start < locatorStart, locatorStart - start >= 56 else {
            throw ArchiveError(.corrupt, "the zip64 locator points at \(start), which can't hold the record")
        }
        let record = try file.bytes(at: start, count: 56)
        guard record.begins(with: [0x50, 0x4B, 6, 6]), record.littleEndian(4, 8) == locatorStart - start - 12 else {
            throw ArchiveError(.corrupt, "there is no zip64 end record at \(start), where its locator points")
        }
        let fields = Fields(
            disks: [record.littleEndian(16, 4), record.littleEndian(20, 4)],
            entriesHere: record.littleEndian(24, 8),
            entries: record.littleEndian(32, 8),
            size: record.littleEndian(40, 8),
            offset: record.littleEndian(48, 8)
        )
        return (fields, start)
    }
}

private let severalDisks = ArchiveError(
    .unsupported,
    "the zip is spread over several disks; only whole ones are allowed"
)

private struct Fields {
    let disks: [UInt64]
    let entriesHere: UInt64
    let entries: UInt64
    let size: UInt64
    let offset: UInt64

    func agrees(with large: Fields) -> Bool {
        (entries == 0xFFFF || entries == large.entries) && (size == 0xFFFF_FFFF || size == large.size)
            && (offset == 0xFFFF_FFFF || offset == large.offset)
    }

    func checked(directoryEnd: UInt64) throws(ArchiveError) -> ZipEnd {
        guard disks.allSatisfy({ $0 == 0 }), entriesHere == entries else { throw severalDisks }
        let (end, overflow) = offset.addingReportingOverflow(size)
        guard !overflow, end <= directoryEnd else {
            throw ArchiveError(
                .truncated,
                "the central directory (\(size) bytes at \(offset)) doesn't fit before its end record: bytes are missing"
            )
        }
        guard end == directoryEnd else {
            throw ArchiveError(
                .corrupt,
                "there are \(directoryEnd - end) bytes between the central directory and its end record"
            )
        }
        return ZipEnd(entries: entries, directoryOffset: offset, directoryEnd: directoryEnd)
    }
}
