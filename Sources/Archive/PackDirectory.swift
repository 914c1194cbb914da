/// Packs a directory into a pax tar that is the same bytes whenever the directory's content is the same.
///
/// Entries come in the order of their names' bytes, with the permissions and times that `repackZip` gives them. Symbolic links
/// are packed as links, never followed; those with an absolute target or one that leaves the root are refused. Devices, fifos
/// and sockets are refused. Nothing outside the root is ever opened. A file that changes while it is read is a retryable error.
/// Blocks the calling thread; call it off the cooperative pool. Cancellation is honoured between blocks.
///
/// - Parameters:
///   - root: the directory; may itself be reached through a link.
///   - destination: where the tar is made, with mode 0600; nothing may exist there, and it may not lie in what is packed. It
///     is removed again on any error.
///   - owner: written into every entry.
///   - limits: what may be packed.
///   - excluding: asked with each path relative to the root; true leaves it out, a directory with all that is in it.
/// - Returns: what the tar holds; an empty directory gives a valid tar without entries.
public func packDirectory(
    at root: String,
    to destination: String,
    owner: FileOwnership,
    limits: ArchiveLimits = ArchiveLimits(),
    excluding: (String) -> Bool = { _ in false }
) throws(ArchiveError) -> ArchiveSummary {
    let directory = try OpenDirectory(path: root)
    return try UTF8Locale.use { () throws(ArchiveError) in
        var output = try OutputFile(creating: destination)
        var pack = DirectoryPack(
            owner: owner,
            limits: limits,
            destination: try FileStatus(descriptor: output.descriptor),
            writer: try .open(TarSink(descriptor: output.descriptor))
        )
        try pack.add(directory, below: "", excluding: excluding)
        let summary = try pack.finish()
        try output.commit()
        return summary
    }
}

private struct DirectoryPack: ~Copyable {
    private let owner: FileOwnership
    private let limits: ArchiveLimits
    private let destination: FileStatus
    private var writer: TarWriter
    private var ledger: EntryLedger
    private let block = Block()

    init(owner: FileOwnership, limits: ArchiveLimits, destination: FileStatus, writer: consuming TarWriter) {
        self.owner = owner
        self.limits = limits
        self.destination = destination
        self.writer = writer
        ledger = EntryLedger(limits: limits)
    }

    /// The recursion is bounded by `maxDepth`.
    mutating func add(
        _ directory: borrowing OpenDirectory,
        below prefix: String,
        excluding: (String) -> Bool
    ) throws(ArchiveError) {
        for name in try directory.names(limit: limits.maxEntries) {
            guard !Task.isCancelled else { throw ArchiveError(.cancelled, "cancelled") }
            guard let path = try EntryPath.normalise(Array(prefix.utf8) + name, limits: limits) else { continue }
            guard !excluding(path.text) else { continue }
            let status = try directory.status(of: name, path: path)
            switch status.kind {
            case .directory:
                _ = try ledger.addDirectory(path)
                try writer.addDirectory(path, owner: owner)
                try add(try directory.directory(name, path: path), below: path.text + "/", excluding: excluding)
            case .symlink:
                let target = try path.linkTarget(try directory.linkTarget(of: name, path: path), limits: limits)
                try ledger.addLink(path)
                try writer.addLink(path, target: target, owner: owner)
            case .regular:
                try addFile(path, named: name, in: directory)
            case .other:
                throw ArchiveError(
                    .unsafeEntry,
                    entry: path.text,
                    "is a device, fifo or socket; files, directories and symbolic links are allowed"
                )
            }
        }
    }

    private mutating func addFile(
        _ path: EntryPath,
        named name: [UInt8],
        in directory: borrowing OpenDirectory
    ) throws(ArchiveError) {
        let file = try directory.file(name, path: path)
        let before = try file.status()
        guard !before.isSameFile(as: destination) else {
            throw ArchiveError(
                .unsafeEntry,
                entry: path.text,
                "is the tar being made; it must lie outside of what is packed"
            )
        }
        try ledger.addFile(path, bytes: UInt64(before.size))
        try writer.beginFile(path, mode: before.mode | 0o444, size: before.size, owner: owner)
        var copied: Int64 = 0
        while copied <= before.size {
            guard !Task.isCancelled else { throw ArchiveError(.cancelled, "cancelled") }
            let count = try file.read(into: block.bytes, path: path)
            guard count > 0 else { break }
            copied += Int64(count)
            guard copied <= before.size else { break }
            try writer.write(block.first(count), path: path)
        }
        guard copied == before.size, try file.status().isUnchanged(since: before) else {
            throw ArchiveError(.io, entry: path.text, "changed while it was read")
        }
    }

    mutating func finish() throws(ArchiveError) -> ArchiveSummary {
        try writer.finish()
        return ledger.summary
    }
}
