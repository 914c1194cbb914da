/// Unpacks a tar, such as `repackZip` makes, into a new or empty directory.
///
/// Whatever the tar says, nothing is written outside of the directory, and never through a link: each path is walked from the
/// directory's own descriptor, component by component, without following links, and nothing that exists is opened or replaced.
/// (libarchive's own disk writer depends on the process's working directory, and its SECURE flags refuse a linked destination.)
/// The rules for entries are those of `repackZip`. Files belong to the calling process, have the current time, the tar's `rwx`
/// bits and are readable for all; directories 0755.
/// Blocks the calling thread; call it off the cooperative pool. Cancellation is honoured between blocks.
///
/// - Parameters:
///   - tar: the tar's path; uncompressed, ustar, pax or GNU.
///   - directory: created if missing, its parent isn't; must be empty. On any error it is left as it was.
///   - limits: what may come out of it; the ratio doesn't matter.
public func unpack(
    tar: String,
    into directory: String,
    limits: ArchiveLimits = ArchiveLimits()
) throws(ArchiveError) {
    let file = try InputFile(path: tar)
    guard file.size > 0 else { throw ArchiveError(.empty, "the tar has no bytes") }
    try UTF8Locale.use { () throws(ArchiveError) in
        let reader = try ArchiveReader.open(tar: file)
        var tree = try UnpackedTree(path: directory, limits: limits)
        while let header = try reader.next() { try tree.add(header, from: reader) }
        try TarEnd.check(position: reader.headerPosition, size: file.size) { offset, count throws(ArchiveError) in
            try file.bytes(at: offset, count: count)
        }
        tree.commit()
    }
}
