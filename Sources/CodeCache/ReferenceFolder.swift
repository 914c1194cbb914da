import Glibc
import Runtime

/// Which tar a version's code is: a small file for each.
struct ReferenceFolder: Sendable {
    let path: String

    /// The tar that a reference names; nil when it is unknown, or what is written there is nothing of ours.
    func blob(of reference: String) throws(RunnerError) -> String? {
        guard let bytes = try SmallFile.read("\(path)/\(reference)", limit: 1024) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.last == "\n", Digest.isOne(String(text.dropLast())) else { return nil }
        return String(text.dropLast())
    }

    func set(_ reference: String, blob: String) throws(RunnerError) {
        // Not made durable: a reference that is lost or empty after a power cut is one that isn't known.
        try SmallFile.write(Array("\(blob)\n".utf8), to: "\(path)/\(reference)", isDurable: false)
    }

    /// Removes references to what isn't there any more.
    func removeDangling(_ isThere: (String) -> Bool) throws(RunnerError) {
        for name in try names(in: path) {
            if let blob = try blob(of: name), isThere(blob) { continue }
            // Half-written by a process that lives: it will be complete under another name.
            if SmallFile.isPartial(name), !SmallFile.isOld("\(path)/\(name)") { continue }
            unlink("\(path)/\(name)")
        }
    }
}

/// Files that are read and written as a whole.
enum SmallFile {
    private static let mark = ".partial-"

    static func isPartial(_ name: String) -> Bool { name.hasPrefix(mark) }

    /// Whether a file was last written so long ago that whoever wrote it has ended.
    static func isOld(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && time(nil) - status.st_mtim.tv_sec > 3600
    }

    /// The content; nil when the file isn't there or has more bytes than the limit.
    static func read(_ path: String, limit: Int) throws(RunnerError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .system("can't open", path, errno) }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size <= limit else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system("can't read", path, errno) }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    /// Writes beside the path and then replaces what is there.
    static func write(_ bytes: [UInt8], to path: String, isDurable: Bool) throws(RunnerError) {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let partial = "\(folder)\(mark)\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("can't create", partial, errno) }
        var isComplete = false
        defer {
            close(descriptor)
            if !isComplete { unlink(partial) }
        }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            guard count >= 0 || errno == EINTR else { throw .system("can't write", path, errno) }
            written += max(0, count)
        }
        guard !isDurable || fsync(descriptor) == 0 else { throw .system("can't write", path, errno) }
        guard rename(partial, path) == 0 else { throw .system("can't replace", path, errno) }
        isComplete = true
    }
}
