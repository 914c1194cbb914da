/// Turns a hostile zip into a safe pax tar with normalised paths, owners, permissions and times.
///
/// The archive is streamed: memory doesn't grow with its content. Blocks the calling thread; call it off the cooperative pool.
/// Cancellation of the surrounding task is honoured between blocks.
///
/// Kept: regular files, directories (also those only implied by a path), and symbolic links whose target is relative and stays
/// inside. Anything else is refused with an error that names the entry, never skipped. Files get their own `rwx` bits and are
/// readable for all; directories 0755. The same zip always gives the same bytes.
///
/// - Parameters:
///   - source: the zip's path. It must be one zip from its first byte to its last, stored or deflated, without encryption.
///   - destination: where the tar is made, with mode 0600; nothing may exist there. It is removed again on any error.
///   - owner: written into every entry.
///   - limits: what may come out of it.
/// - Returns: what the tar holds.
public func repackZip(
    at source: String,
    to destination: String,
    owner: FileOwnership,
    limits: ArchiveLimits = ArchiveLimits()
) throws(ArchiveError) -> ArchiveSummary {
    let file = try InputFile(path: source)
    let directory = try ZipDirectory.read(from: file, limits: limits)
    try directory.check(zipBytes: file.size, limits: limits)
    return try UTF8Locale.use { () throws(ArchiveError) in
        var output = try OutputFile(creating: destination)
        var repack = ZipRepack(owner: owner, limits: limits, writer: try .open(TarSink(descriptor: output.descriptor)))
        let reader = try ArchiveReader.open(zip: file)
        for entry in directory.entries {
            guard let header = try reader.next(announced: entry.name) else {
                throw ArchiveError(.truncated, entry: entry.name, "is announced but missing, as are all after it")
            }
            try repack.add(header, announced: entry, from: reader)
        }
        if let header = try reader.next() {
            throw ArchiveError(.corrupt, entry: header.name, "isn't in the central directory")
        }
        let summary = try repack.finish()
        try output.commit()
        return summary
    }
}

private struct ZipRepack: ~Copyable {
    private let owner: FileOwnership
    private let limits: ArchiveLimits
    private var writer: TarWriter
    private var ledger: EntryLedger
    private let block = Block()

    init(owner: FileOwnership, limits: ArchiveLimits, writer: consuming TarWriter) {
        self.owner = owner
        self.limits = limits
        self.writer = writer
        ledger = EntryLedger(limits: limits)
    }

    mutating func add(
        _ header: ArchiveReader.Header,
        announced: ZipDirectory.Entry,
        from reader: borrowing ArchiveReader
    ) throws(ArchiveError) {
        let path = try EntryPath.normalise(header.name, limits: limits)
        guard let path else {
            guard case .directory = header.kind else {
                throw ArchiveError(.unsafeEntry, entry: header.name, "the root can only be a directory")
            }
            return
        }
        for parent in try ledger.implyParents(of: path) { try writer.addDirectory(parent, owner: owner) }
        switch header.kind {
        case .directory:
            guard announced.uncompressed == 0 else {
                throw ArchiveError(.corrupt, entry: path.text, "is a directory with content")
            }
            if try ledger.addDirectory(path) { try writer.addDirectory(path, owner: owner) }
        case .symlink:
            guard UInt64(header.target.count) == announced.uncompressed, crc32(header.target) == announced.crc else {
                throw ArchiveError(
                    .corrupt,
                    entry: path.text,
                    "the symbolic link's target doesn't match its size or checksum"
                )
            }
            let target = try path.linkTarget(header.target, limits: limits)
            try ledger.addLink(path)
            try writer.addLink(path, target: target, owner: owner)
        case .regular:
            guard header.size == announced.uncompressed else {
                throw ArchiveError(
                    .corrupt,
                    entry: path.text,
                    "has another size in its header than in the central directory"
                )
            }
            try ledger.addFile(path, bytes: announced.uncompressed)
            try copy(path, header: header, size: Int64(announced.uncompressed), from: reader)
        case .hardLink, .other:
            throw header.refusal
        }
    }

    private mutating func copy(
        _ path: EntryPath,
        header: ArchiveReader.Header,
        size: Int64,
        from reader: borrowing ArchiveReader
    ) throws(ArchiveError) {
        try writer.beginFile(path, mode: header.mode | 0o444, size: size, owner: owner)
        var copied: Int64 = 0
        while true {
            let count = try reader.read(into: block.bytes, entry: header.name)
            guard count > 0 else { break }
            copied += Int64(count)
            guard copied <= size else {
                throw ArchiveError(.corrupt, entry: path.text, "has more than the \(size) bytes announced")
            }
            try writer.write(block.first(count), path: path)
        }
        guard copied == size else {
            throw ArchiveError(.truncated, entry: path.text, "has \(copied) of the \(size) bytes announced")
        }
    }

    mutating func finish() throws(ArchiveError) -> ArchiveSummary {
        guard !ledger.summary.files.isEmpty else { throw ArchiveError(.empty, "the zip has directories, but no file") }
        try writer.finish()
        return ledger.summary
    }
}

extension ArchiveReader.Header {
    /// The error for a kind of entry that is never allowed.
    var refusal: ArchiveError {
        let what =
            switch kind {
            case .hardLink: "is a hard link to \"\(printable(target))\""
            case .other(let mode): "is a device, fifo or socket (mode 0\(String(mode, radix: 8)))"
            case .regular, .directory, .symlink: "can't be taken"
            }
        return ArchiveError(.unsafeEntry, entry: name, "\(what); files, directories and symbolic links are allowed")
    }
}
