import Control
import Glibc
import Util

/// A lock on one schedule's state that one writer of one process has, until it lets go or the kernel takes it away because the
/// process died.
///
/// Nobody ever has two, so nobody waits in a circle. The lock is a file of its own, since the state's own is replaced by each
/// writing, and it stays.
struct StateLock: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Takes the lock, waiting for it if need be. Blocks.
    /// - Parameters:
    ///   - root: the directory of the store.
    ///   - file: the lock's path in it.
    ///   - patience: how long to wait: a lock is held for one writing, so whoever has it longer hangs.
    init(root: String, file: String, patience: Duration) throws(StateProblem) {
        let path = "\(root)/\(file)"
        let deadline = ContinuousClock.now + patience
        var pause: UInt32 = 200
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard descriptor >= 0 else { throw .system("can't be made", file, errno) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                if Self.isSame(descriptor, path) {
                    self.descriptor = descriptor
                    self.path = path
                    return
                }
                close(descriptor)
            } else {
                let number = errno
                close(descriptor)
                guard number == EWOULDBLOCK || number == EINTR else { throw .system("can't be locked", file, number) }
            }
            guard ContinuousClock.now < deadline else {
                throw StateProblem(
                    "has been locked by another process for \(patience); does one hang?",
                    file: file,
                    code: .unavailable
                )
            }
            usleep(pause)
            pause = min(pause * 2, 10_000)
        }
    }

    deinit { close(descriptor) }

    /// Whether others still wait for this lock: not if somebody removed its file.
    var isHeld: Bool { Self.isSame(descriptor, path) }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var opened = stat()
        var named = stat()
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
            && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }
}
