import Glibc

/// What lies at the top of a folder, worked on without following any link in it.
public struct FolderContent: ~Copyable {
    private let root: OpenDirectory

    /// Opens a folder.
    /// - Parameter path: where it is; may itself be reached through a link.
    /// - Throws: ``ArchiveError`` with code `io`.
    public init(of path: String) throws(ArchiveError) {
        root = try OpenDirectory(path: path)
    }

    /// The names in it that are UTF-8, in the order of their bytes; other ones with their wrong bytes replaced.
    public func names() throws(ArchiveError) -> [String] {
        try root.names().map { String(decoding: $0, as: UTF8.self) }
    }

    /// Removes everything in it but some names. Folders are made writable for it, as far as they are this user's.
    /// - Throws: ``ArchiveError`` with code `io` that names what can't be removed.
    public func removeAll(but kept: Set<String> = []) throws(ArchiveError) {
        for name in try root.names() where !kept.contains(String(decoding: name, as: UTF8.self)) {
            try root.removeTree(name)
        }
    }

    /// Removes one name with all that is in it; that it isn't there is a success.
    public func remove(_ name: String) throws(ArchiveError) {
        guard try names().contains(name) else { return }
        try root.removeTree(Array(name.utf8))
    }

    /// Moves everything in it into another folder of the same file system, by renaming. Called again after it was broken off, it
    /// goes on.
    /// - Throws: ``ArchiveError`` with code `duplicate` when a name is taken there, `io` for the rest.
    public func moveAll(into other: borrowing FolderContent) throws(ArchiveError) {
        for name in try root.names() { try root.move(name, to: other.root) }
        // So that what is there now is there after a power cut too; some file systems can't do it for folders.
        fsync(other.root.descriptor)
    }

    /// Moves one entry into another folder of the same file system, under another name.
    /// - Parameters:
    ///   - name: the entry's name.
    ///   - other: the folder.
    ///   - newName: its name there.
    /// - Throws: ``ArchiveError`` with code `duplicate` when the name is taken there, `io` for the rest.
    public func move(_ name: String, into other: borrowing FolderContent, as newName: String) throws(ArchiveError) {
        try root.move(Array(name.utf8), to: other.root, as: Array(newName.utf8))
        fsync(other.root.descriptor)
    }
}

extension OpenDirectory {
    /// A folder in it.
    fileprivate func child(_ name: [UInt8]) throws(ArchiveError) -> OpenDirectory {
        let opened = openat(descriptor, terminated(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else { throw .system("can't open the folder", entry: name) }
        return OpenDirectory(descriptor: opened)
    }

    fileprivate func removeTree(_ name: [UInt8]) throws(ArchiveError) {
        if unlinkat(descriptor, terminated(name), 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw .system("can't be removed", entry: name) }
        let folder = try child(name)
        // Without it nothing in a folder with mode 0555 could be removed; what isn't ours stays as it is.
        fchmod(folder.descriptor, 0o700)
        for entry in try folder.names() { try folder.removeTree(entry) }
        guard unlinkat(descriptor, terminated(name), AT_REMOVEDIR) == 0 else {
            throw .system("can't be removed", entry: name)
        }
    }

    /// Only one process works here, so nothing takes the name between the look and the move.
    fileprivate func move(
        _ name: [UInt8],
        to other: borrowing OpenDirectory,
        as newName: [UInt8]? = nil
    ) throws(ArchiveError) {
        let target = newName ?? name
        var status = stat()
        guard fstatat(other.descriptor, terminated(target), &status, AT_SYMLINK_NOFOLLOW) != 0, errno == ENOENT else {
            throw ArchiveError(.duplicate, entry: target, "something of that name is there already")
        }
        guard renameat(descriptor, terminated(name), other.descriptor, terminated(target)) == 0 else {
            throw .system("can't be moved", entry: name)
        }
    }
}

extension ArchiveError {
    fileprivate static func system(_ doing: String, entry: [UInt8]) -> ArchiveError {
        ArchiveError(.io, entry: entry, doing, errno: errno)
    }
}
