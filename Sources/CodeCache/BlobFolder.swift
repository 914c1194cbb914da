import Glibc
import Runtime
import Synchronization

/// Tars under the names of their content's digests, each with a list of its files beside it.
///
/// A tar is lent by a shared lock on it and removed under an exclusive one, so that no process removes what another one lends.
final class BlobFolder: Sendable {
    private let path: String
    /// Tars whose content has been found to be what their name says; it is looked at once in a process's life.
    private let verified = Mutex<Set<FileIdentity>>([])

    init(path: String) {
        self.path = path
    }

    func contains(_ digest: String) -> Bool { access(tar(digest), F_OK) == 0 }

    /// Lends a tar; nil when it isn't there, or is not what its name says: then it is removed.
    func lease(_ digest: String) throws(RunnerError) -> BlobLease? {
        let path = tar(digest)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT || errno == ELOOP else { throw .system("can't open", path, errno) }
            return nil
        }
        let file = LentFile(descriptor)
        // Who has it exclusively is about to remove it.
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0, isSameFile(descriptor, path) else { return nil }
        guard let identity = FileIdentity(digest, descriptor), try isWhole(identity, descriptor),
            let files = try files(of: digest)
        else {
            unlink(path)
            return nil
        }
        // The time of last use. Set by hand, since most file systems are mounted without.
        // UTIME_NOW and UTIME_OMIT are macros with casts, which Swift doesn't import.
        let times = [timespec(tv_sec: 0, tv_nsec: 0x3FFF_FFFF), timespec(tv_sec: 0, tv_nsec: 0x3FFF_FFFE)]
        futimens(descriptor, times)
        return BlobLease(
            digest: digest,
            archive: CodeArchive(path: path, size: identity.size, files: files, digest: digest),
            file: file
        )
    }

    /// Takes a complete tar in, by renaming it, and lends it.
    func insert(tar source: String, files: [String]) throws(RunnerError) -> BlobLease {
        let descriptor = open(source, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("can't open", source, errno) }
        let file = LentFile(descriptor)
        let digest = try Digest.of(descriptor: descriptor, path: source)
        if let present = try lease(digest) { return present }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0, let identity = FileIdentity(digest, descriptor) else {
            throw .system("can't lock", source, errno)
        }
        // The list comes first: a tar without one would have to be thrown away.
        try SmallFile.write(FileList.encode(files), to: list(digest), isDurable: true)
        let path = tar(digest)
        guard rename(source, path) == 0 else { throw .system("can't keep", path, errno) }
        verified.withLock { _ = $0.insert(identity) }
        let archive = CodeArchive(path: path, size: identity.size, files: Set(files), digest: digest)
        return BlobLease(digest: digest, archive: archive, file: file)
    }

    /// Removes tars, the one whose last use is longest ago first, until the rest is within the capacity.
    /// - Returns: how many bytes are left; more than the capacity when what is lent is more.
    func evict(capacity: Int64) throws(RunnerError) -> Int64 {
        var blobs: [(digest: String, size: Int64, used: (Int, Int))] = []
        for name in try names(in: path) where name.hasSuffix(Self.tarSuffix) {
            let digest = String(name.dropLast(Self.tarSuffix.count))
            var status = stat()
            guard Digest.isOne(digest), lstat("\(path)/\(name)", &status) == 0 else { continue }
            blobs.append((digest, Int64(status.st_size), (status.st_atim.tv_sec, status.st_atim.tv_nsec)))
        }
        var total = blobs.reduce(0) { $0 + $1.size }
        for blob in blobs.sorted(by: { $0.used < $1.used }) {
            guard total > capacity else { break }
            if remove(blob.digest) { total -= blob.size }
        }
        return total
    }

    /// Removes a tar that nobody lends.
    private func remove(_ digest: String) -> Bool {
        let path = tar(digest)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return errno == ENOENT }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, isSameFile(descriptor, path) else { return false }
        guard unlink(path) == 0 else { return false }
        unlink(list(digest))
        return true
    }

    /// Removes lists without tars and half-written ones that processes have left when they were killed.
    func removeRemains() throws(RunnerError) {
        for name in try names(in: path) where !name.hasSuffix(Self.tarSuffix) {
            let isInUse = name.hasSuffix(Self.listSuffix) && contains(String(name.dropLast(Self.listSuffix.count)))
            if !isInUse, SmallFile.isOld("\(path)/\(name)") { unlink("\(path)/\(name)") }
        }
    }

    private func isWhole(_ identity: FileIdentity, _ descriptor: Int32) throws(RunnerError) -> Bool {
        if verified.withLock({ $0.contains(identity) }) { return true }
        guard try Digest.of(descriptor: descriptor, path: tar(identity.digest)) == identity.digest else { return false }
        verified.withLock { _ = $0.insert(identity) }
        return true
    }

    private func files(of digest: String) throws(RunnerError) -> Set<String>? {
        guard let bytes = try SmallFile.read(list(digest), limit: FileList.maximumBytes) else { return nil }
        return FileList.decode(bytes)
    }

    private static let tarSuffix = ".tar"
    private static let listSuffix = ".files"
    private func tar(_ digest: String) -> String { "\(path)/\(digest)\(Self.tarSuffix)" }
    private func list(_ digest: String) -> String { "\(path)/\(digest)\(Self.listSuffix)" }
}

/// A tar that isn't removed as long as this is referred to.
final class BlobLease: Sendable {
    let digest: String
    let archive: CodeArchive
    private let file: LentFile

    init(digest: String, archive: CodeArchive, file: LentFile) {
        self.digest = digest
        self.archive = archive
        self.file = file
    }
}

/// An open file; its lock goes when it is closed, with the last reference.
final class LentFile: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}

/// A file as it was when it was checked.
private struct FileIdentity: Hashable {
    let digest: String
    let size: Int64
    private let inode: UInt64
    private let seconds: Int
    private let nanoseconds: Int

    init?(_ digest: String, _ descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.digest = digest
        size = Int64(status.st_size)
        inode = UInt64(status.st_ino)
        seconds = status.st_mtim.tv_sec
        nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}

/// The paths of a tar's files as they are kept: their digest, then each with a zero byte after it.
enum FileList {
    /// More than the most entries with the longest paths that an archive may have by default.
    static let maximumBytes = 64 << 20

    static func encode(_ files: [String]) -> [UInt8] {
        let content: [UInt8] = files.flatMap { Array($0.utf8) + [0] as [UInt8] }
        return Array(Digest.of(content).utf8) + content
    }

    static func decode(_ bytes: [UInt8]) -> Set<String>? {
        guard bytes.count >= 64, bytes.count == 64 || bytes.last == 0 else { return nil }
        let content = Array(bytes[64...])
        guard Array(Digest.of(content).utf8) == Array(bytes[..<64]) else { return nil }
        return Set(content.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }
}
