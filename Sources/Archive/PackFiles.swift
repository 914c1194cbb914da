/// Makes a pax tar in memory from files in memory.
///
/// Entries come in the given order and nothing else is added: directories that the names imply are not entries, since a tar
/// that is put into a container would change those that exist there. All times are the same, so the same files always give
/// the same bytes. Names are held to the same rules as everywhere here; two files of one name are refused.
///
/// - Parameter files: what to pack; none gives a valid tar without entries.
/// - Returns: the bytes of the tar.
public func packFiles(_ files: [ArchiveFile]) throws(ArchiveError) -> [UInt8] {
    let limits = ArchiveLimits(maxEntries: .max, maxTotalBytes: .max, maxFileBytes: .max)
    var ledger = EntryLedger(limits: limits)
    var paths: [EntryPath] = []
    for file in files {
        guard let path = try EntryPath.normalise(Array(file.name.utf8), limits: limits) else {
            throw ArchiveError(.unsafeEntry, entry: file.name, "names no file")
        }
        _ = try ledger.implyParents(of: path)
        try ledger.addFile(path, bytes: UInt64(file.contents.count))
        paths.append(path)
    }
    let sink = TarSink(descriptor: nil)
    try UTF8Locale.use { () throws(ArchiveError) in
        var writer = try TarWriter.open(sink)
        for (file, path) in zip(files, paths) {
            try writer.beginFile(path, mode: file.mode, size: Int64(file.contents.count), owner: file.owner)
            var failure: ArchiveError?
            file.contents.withUnsafeBytes { bytes in
                do throws(ArchiveError) { try writer.write(bytes, path: path) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        try writer.finish()
    }
    return sink.bytes
}
