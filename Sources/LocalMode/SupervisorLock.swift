import CLinux
import Glibc

/// The lock that a run's supervisor holds as long as it lives, held by somebody else: no supervisor begins meanwhile.
final class SupervisorLock: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Takes the lock, or returns nil when a supervisor has it.
    static func take(_ folder: RunFolder) throws(LocalError) -> SupervisorLock? {
        let descriptor = open(folder.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("can't open", folder.lock) }
        guard clinux_lock(descriptor) == 0 else {
            close(descriptor)
            return nil
        }
        return SupervisorLock(descriptor)
    }
}
