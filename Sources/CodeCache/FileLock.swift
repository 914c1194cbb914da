import Glibc
import Runtime

/// A lock on a path that one owner in one process has, until its last reference goes or its process dies.
final class FileLock: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        // Removed while it is held: whoever opened it before finds that the path is no longer that file, and tries again.
        unlink(path)
        close(descriptor)
    }

    /// Waits for the lock, off the disk's threads, so that waiting can be cancelled.
    static func acquire(_ path: String, worker: Worker) async throws(RunnerError) -> FileLock {
        var pause = Duration.milliseconds(5)
        while true {
            if let lock = try await worker.run({ () throws(RunnerError) in try FileLock.take(path) }) { return lock }
            do { try await Task.sleep(for: pause) } catch {
                throw RunnerError(.cancelled, "cancelled while another process fetches the code", cause: error)
            }
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    /// Takes the lock, or returns nil when somebody else has it.
    static func take(_ path: String) throws(RunnerError) -> FileLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("can't make the lock", path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK || number == EINTR else { throw .system("can't lock", path, number) }
            return nil
        }
        guard isSameFile(descriptor, path) else {
            close(descriptor)
            return nil
        }
        return FileLock(descriptor, path)
    }
}

/// Whether a path still names the open file.
func isSameFile(_ descriptor: Int32, _ path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
        && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
}
