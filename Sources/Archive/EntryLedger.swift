/// What an archive has brought so far: finds duplicates and conflicts, and keeps to the limits.
///
/// Paths are compared as Swift strings, so two that differ only in Unicode normalisation count as the same.
struct EntryLedger {
    private enum Place { case impliedDirectory, directory, leaf }

    private let limits: ArchiveLimits
    private var places: [String: Place] = [:]
    private(set) var summary = ArchiveSummary()

    init(limits: ArchiveLimits) {
        self.limits = limits
    }

    /// The parents of `path` that no entry has named yet, outermost first. They count as entries from now on.
    mutating func implyParents(of path: EntryPath) throws(ArchiveError) -> [EntryPath] {
        var missing: [EntryPath] = []
        var next = path.parent
        while let directory = next {
            if let place = places[directory.text] {
                guard place != .leaf else {
                    throw ArchiveError(
                        .duplicate,
                        entry: path.text,
                        "needs the directory \"\(printable(Array(directory.text.utf8)))\", which another entry says is no directory"
                    )
                }
                break
            }
            missing.append(directory)
            next = directory.parent
        }
        for directory in missing {
            places[directory.text] = .impliedDirectory
            try count(directory)
        }
        return missing.reversed()
    }

    /// Takes note of a directory; false if it exists already because a path implied it.
    mutating func addDirectory(_ path: EntryPath) throws(ArchiveError) -> Bool {
        switch places[path.text] {
        case nil:
            places[path.text] = .directory
            try count(path)
            return true
        case .impliedDirectory:
            places[path.text] = .directory
            return false
        case .directory:
            throw ArchiveError(.duplicate, entry: path.text, "this directory appears twice")
        case .leaf:
            throw ArchiveError(.duplicate, entry: path.text, "appears both as a directory and as a file or link")
        }
    }

    /// Takes note of a regular file with so many bytes.
    mutating func addFile(_ path: EntryPath, bytes: UInt64) throws(ArchiveError) {
        try addLeaf(path)
        let size = try ByteBudget.check(bytes, path: Array(path.text.utf8), total: summary.bytes, limits: limits)
        summary.bytes += size
        summary.files.append(path.text)
    }

    /// Takes note of a symbolic link.
    mutating func addLink(_ path: EntryPath) throws(ArchiveError) {
        try addLeaf(path)
    }

    private mutating func addLeaf(_ path: EntryPath) throws(ArchiveError) {
        switch places.updateValue(.leaf, forKey: path.text) {
        case nil:
            try count(path)
        case .leaf:
            throw ArchiveError(.duplicate, entry: path.text, "this path appears twice")
        case .directory, .impliedDirectory:
            throw ArchiveError(.duplicate, entry: path.text, "appears both as a file or link and as a directory")
        }
    }

    private mutating func count(_ path: EntryPath) throws(ArchiveError) {
        summary.entries += 1
        guard summary.entries <= limits.maxEntries else {
            throw ArchiveError(
                .tooManyEntries,
                entry: path.text,
                "the archive has more than \(limits.maxEntries) entries, implied directories included"
            )
        }
    }
}

/// The limits on bytes, used on what an archive announces and on what comes.
enum ByteBudget {
    /// The size as a signed number, if a file of it is allowed after `total` bytes of others.
    static func check(
        _ bytes: UInt64,
        path: [UInt8],
        total: Int64,
        limits: ArchiveLimits
    ) throws(ArchiveError) -> Int64 {
        guard bytes <= UInt64(max(0, limits.maxFileBytes)) else {
            throw ArchiveError(
                .tooLarge,
                entry: path,
                "the file has \(bytes) bytes; up to \(limits.maxFileBytes) are allowed"
            )
        }
        let size = Int64(bytes)
        guard size <= limits.maxTotalBytes - total else {
            throw ArchiveError(
                .tooLarge,
                entry: path,
                "with this file the content exceeds the \(limits.maxTotalBytes) bytes allowed"
            )
        }
        return size
    }
}
