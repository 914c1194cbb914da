import Glibc

/// A directory being filled, which becomes as it was before unless `commit` is reached.
struct UnpackedTree: ~Copyable {
    private let path: String
    private let root: OpenDirectory
    private let isNew: Bool
    private let limits: ArchiveLimits
    private var ledger: EntryLedger
    private var isCommitted = false
    private let block = Block()

    init(path: String, limits: ArchiveLimits) throws(ArchiveError) {
        let isNew = mkdir(path, 0o755) == 0
        guard isNew || errno == EEXIST else { throw .system("can't create the directory \"\(path)\"") }
        let root = try OpenDirectory(path: path)
        let isEmpty = isNew ? true : try root.names().isEmpty
        guard isEmpty else {
            throw ArchiveError(
                .duplicate,
                "the directory \"\(path)\" is not empty; archives are only unpacked into empty ones"
            )
        }
        self.path = path
        self.root = root
        self.isNew = isNew
        self.limits = limits
        ledger = EntryLedger(limits: limits)
    }

    deinit {
        guard !isCommitted else { return }
        root.removeContent()
        if isNew { rmdir(path) }
    }

    mutating func commit() { isCommitted = true }

    mutating func add(_ header: ArchiveReader.Header, from reader: borrowing ArchiveReader) throws(ArchiveError) {
        guard let path = try EntryPath.normalise(header.name, limits: limits) else {
            guard case .directory = header.kind else {
                throw ArchiveError(.unsafeEntry, entry: header.name, "the root can only be a directory")
            }
            return
        }
        for parent in try ledger.implyParents(of: path) { try makeDirectory(parent) }
        switch header.kind {
        case .directory:
            if try ledger.addDirectory(path) { try makeDirectory(path) }
        case .symlink:
            let target = try path.linkTarget(header.target, limits: limits)
            try ledger.addLink(path)
            try parent(of: path).makeLink(path.name, target: target, path: path)
        case .regular:
            try ledger.addFile(path, bytes: header.size)
            try makeFile(path, header: header, from: reader)
        case .hardLink, .other:
            throw header.refusal
        }
    }

    private func makeDirectory(_ path: EntryPath) throws(ArchiveError) {
        try parent(of: path).makeDirectory(path.name, path: path)
    }

    private func makeFile(
        _ path: EntryPath,
        header: ArchiveReader.Header,
        from reader: borrowing ArchiveReader
    ) throws(ArchiveError) {
        let file = try parent(of: path).create(path.name, path: path)
        var written: UInt64 = 0
        while true {
            let count = try reader.read(into: block.bytes, entry: header.name)
            guard count > 0 else { break }
            written += UInt64(count)
            guard written <= header.size else {
                throw ArchiveError(.corrupt, entry: path.text, "has more than the \(header.size) bytes announced")
            }
            try file.write(block.first(count), path: path)
        }
        guard written == header.size else {
            throw ArchiveError(.truncated, entry: path.text, "has \(written) of the \(header.size) bytes announced")
        }
        try file.setMode(header.mode | 0o444, path: path)
    }

    /// The directory in which `path` lies, reached from the root without following links.
    private func parent(of path: EntryPath) throws(ArchiveError) -> OpenDirectory {
        var directory = try root.directory([UInt8(ascii: ".")], path: path)
        for component in path.components.dropLast() {
            directory = try directory.directory(Array(component.utf8), path: path)
        }
        return directory
    }
}

extension EntryPath {
    /// The last component.
    fileprivate var name: [UInt8] { components.last.map { Array($0.utf8) } ?? [] }
}
