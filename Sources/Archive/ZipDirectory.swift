/// The central directory of a zip, read on its own and compared with the local headers.
///
/// libarchive goes by the local headers, ignores how many entries are announced, cuts names at NUL, and lets entries share
/// their data (the trick of the best bombs). Knowing the directory first also stops most bombs before anything is expanded.
struct ZipDirectory {
    struct Entry {
        let name: [UInt8]
        let headerOffset: UInt64
        let compressed: UInt64
        let uncompressed: UInt64
        let crc: UInt32
    }

    /// In the order of their data, which is the order in which libarchive's seeking reader yields them.
    let entries: [Entry]

    static func read(from file: borrowing InputFile, limits: ArchiveLimits) throws(ArchiveError) -> ZipDirectory {
        guard file.size > 0 else { throw ArchiveError(.empty, "the file has no bytes") }
        let beginning = try file.bytes(at: 0, count: Int(min(4, file.size)))
        let isEmptyZip = beginning == [0x50, 0x4B, 5, 6]
        guard isEmptyZip || beginning == [0x50, 0x4B, 3, 4] else {
            throw ArchiveError(.notAZip, "the file doesn't begin as a zip does; only zip archives are allowed")
        }
        let end = try ZipEnd.read(from: file)
        guard end.entries > 0, !isEmptyZip else { throw ArchiveError(.empty, "the zip has no entries") }
        guard end.entries <= UInt64(max(0, limits.maxEntries)) else {
            throw ArchiveError(
                .tooManyEntries,
                "the zip announces \(end.entries) entries; up to \(limits.maxEntries) are allowed"
            )
        }

        var entries: [Entry] = []
        var extents: [Range<UInt64>] = []
        var position = end.directoryOffset
        for number in 1...end.entries {
            guard position < end.directoryEnd else {
                throw ArchiveError(.truncated, "the zip announces \(end.entries) entries, but lists \(number - 1)")
            }
            let record = try CentralRecord(at: position, end: end, number: number, file: file, limits: limits)
            entries.append(record.entry)
            extents.append(try record.extent(end: end, file: file))
            position += record.length
        }
        guard position == end.directoryEnd else {
            throw ArchiveError(.corrupt, "the central directory holds more than the \(end.entries) entries announced")
        }

        let order = entries.indices.sorted { extents[$0].lowerBound < extents[$1].lowerBound }
        for (one, next) in zip(order, order.dropFirst()) where extents[one].upperBound > extents[next].lowerBound {
            throw ArchiveError(
                .corrupt,
                entry: entries[next].name,
                "shares its data with entry \"\(printable(entries[one].name))\""
            )
        }
        return ZipDirectory(entries: order.map { entries[$0] })
    }

    /// Refuses what is announced beyond the limits, before anything is expanded.
    func check(zipBytes: UInt64, limits: ArchiveLimits) throws(ArchiveError) {
        let (product, overflow) = Int64(clamping: zipBytes).multipliedReportingOverflow(by: limits.maxRatio)
        let allowed = max(limits.ratioFloorBytes, overflow ? .max : product)
        var total: Int64 = 0
        for entry in entries {
            total += try ByteBudget.check(entry.uncompressed, path: entry.name, total: total, limits: limits)
            guard total <= allowed else {
                throw ArchiveError(
                    .ratio,
                    entry: entry.name,
                    "with this file \(total) bytes come out of a zip of \(zipBytes); up to \(limits.maxRatio) times its size are allowed"
                )
            }
        }
    }
}
