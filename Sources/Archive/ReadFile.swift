/// The content of the first entry of that name in a tar in memory, such as the Docker engine's archive endpoint returns.
///
/// - Parameters:
///   - name: the path inside the tar, without a leading `./`.
///   - bytes: the tar, complete at least up to the end of the entry.
///   - limit: the most bytes the file may have.
/// - Returns: the content, or nil if the tar is complete and has no such entry.
/// - Throws: `.unsafeEntry` if the entry is no regular file: a link's target is never followed, and not to be taken for empty.
public func readFile(
    named name: String,
    inTar bytes: [UInt8],
    limit: Int
) throws(ArchiveError) -> [UInt8]? {
    guard !bytes.isEmpty else { throw ArchiveError(.empty, "the tar has no bytes") }
    var outcome: Result<[UInt8]?, ArchiveError> = .success(nil)
    bytes.withUnsafeBytes { buffer in
        do throws(ArchiveError) {
            outcome = .success(
                try UTF8Locale.use { () throws(ArchiveError) in try find(name, in: buffer, limit: limit) }
            )
        } catch {
            outcome = .failure(error)
        }
    }
    return try outcome.get()
}

private func find(
    _ name: String,
    in tar: UnsafeRawBufferPointer,
    limit: Int
) throws(ArchiveError) -> [UInt8]? {
    let limits = ArchiveLimits()
    let wanted = try EntryPath.normalise(Array(name.utf8), limits: limits)
    let reader = try ArchiveReader.open(tar: tar)
    while let header = try reader.next() {
        guard try EntryPath.normalise(header.name, limits: limits) == wanted else { continue }
        guard case .regular = header.kind else {
            throw ArchiveError(.unsafeEntry, entry: header.name, "is not a regular file")
        }
        guard header.size <= UInt64(max(0, limit)) else {
            throw ArchiveError(
                .tooLarge,
                entry: header.name,
                "the file has \(header.size) bytes; up to \(limit) are allowed"
            )
        }
        return try reader.content(of: header)
    }
    try TarEnd.check(position: reader.headerPosition, size: UInt64(tar.count)) { offset, count in
        Array(tar[Int(offset)..<(Int(offset) + count)])
    }
    return nil
}

/// The two blocks of zeros that end a tar; libarchive also takes the end of the bytes for the end of the archive.
enum TarEnd {
    static func check(
        position: UInt64,
        size: UInt64,
        read: (UInt64, Int) throws(ArchiveError) -> [UInt8]
    ) throws(ArchiveError) {
        guard position <= size, size - position >= 1024, try read(position, 1024).allSatisfy({ $0 == 0 }) else {
            throw ArchiveError(.truncated, "the tar ends without its end mark: it was cut between two entries")
        }
    }
}

extension ArchiveReader {
    /// All bytes of the current entry, whose size has been found acceptable.
    borrowing func content(of header: Header) throws(ArchiveError) -> [UInt8] {
        let block = Block()
        var content: [UInt8] = []
        content.reserveCapacity(Int(header.size))
        while true {
            let count = try read(into: block.bytes, entry: header.name)
            guard count > 0 else { break }
            content.append(contentsOf: block.first(count))
        }
        guard content.count == Int(header.size) else {
            throw ArchiveError(
                .truncated,
                entry: header.name,
                "has \(content.count) of the \(header.size) bytes announced"
            )
        }
        return content
    }
}
