import CLinux
import Glibc

/// Held while a run is started or removed: by one at a time, in whatever process, until its last reference goes or its process
/// dies.
final class RunLock: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        // A child that is being started shares the open file until it runs its program, and the lock with it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Removes the lock's file, which only its holder may.
    static func removeFile(_ path: String) { unlink(path) }

    /// Waits for the lock, off the disk's threads, so that waiting can be cancelled.
    static func acquire(_ path: String, worker: Worker) async throws(LocalError) -> RunLock {
        var pause = Duration.milliseconds(2)
        while true {
            if let lock = try await worker.run({ () throws(LocalError) in try take(path) }) { return lock }
            do { try await Task.sleep(for: pause) } catch {
                throw LocalError(.cancelled, "cancelled while another process starts or removes the run", cause: error)
            }
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    /// Takes the lock, or returns nil when somebody else has it.
    static func take(_ path: String) throws(LocalError) -> RunLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("can't make the lock", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK || number == EINTR else { throw .system("can't lock", path, number) }
            return nil
        }
        // Removed by its last holder since it was opened: others lock another file by now.
        guard SystemFile.isNamed(descriptor, path) else {
            close(descriptor)
            return nil
        }
        return RunLock(descriptor)
    }
}
