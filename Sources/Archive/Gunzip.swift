import CArchive
import Glibc

/// Decompresses a gzip file (RFC 1952) of one member and some content, such as a `tar.gz`.
///
/// libarchive, which does the work, doesn't look at the checksum and the length at the file's end; both are checked here, so a
/// file that was cut or damaged is never taken for whole. Blocks the calling thread; call it off the cooperative pool.
/// Cancellation is honoured between blocks.
///
/// - Parameters:
///   - source: the compressed file's path.
///   - destination: where the content goes, with mode 0600; nothing may exist there. It is removed again on any error.
///   - limit: the most bytes of content.
/// - Returns: how many bytes of content there are.
/// - Throws: ``ArchiveError``.
@discardableResult
public func gunzip(at source: String, to destination: String, limit: Int64) throws(ArchiveError) -> Int64 {
    let file = try InputFile(path: source)
    // Ten bytes of header, two of an empty block, eight of trailer.
    guard file.size >= 20, try file.bytes(at: 0, count: 2) == [0x1F, 0x8B] else {
        throw ArchiveError(.corrupt, "the file doesn't begin as gzip does")
    }
    let trailer = try file.bytes(at: file.size - 8, count: 8)
    let reader = try ArchiveReader.open(gzip: file)
    try reader.beginStream()
    var output = try OutputFile(creating: destination)
    let block = Block()
    var checksum = Checksum()
    var total: Int64 = 0
    while true {
        let count = try reader.read(into: block.bytes, entry: Array("content".utf8))
        guard count > 0 else { break }
        guard Int64(count) <= limit - total else {
            throw ArchiveError(.tooLarge, "the gzip file's content has more than the \(limit) bytes allowed")
        }
        total += Int64(count)
        checksum.add(block.first(count))
        try output.write(block.first(count))
    }
    guard trailer.littleEndian(0, 4) == UInt64(checksum.value),
        trailer.littleEndian(4, 4) == UInt64(total) & 0xFFFF_FFFF
    else {
        throw ArchiveError(.corrupt, "the gzip file's content doesn't match the checksum and the length at its end")
    }
    try output.commit()
    return total
}
