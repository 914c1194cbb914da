import Foundation
import Synchronization

/// What must not outlive this test process: ended and removed when it exits.
///
/// A killed test process can't clean up. Then the kernel ends its children (`ChildProcess`), and the next test process
/// removes its folders (`TemporaryFolder`).
enum ProcessExit {
    private struct Remains {
        var isRegistered = false
        var paths: Set<String> = []
        var processGroups: Set<pid_t> = []
    }

    private static let remains = Mutex(Remains())

    static func remember(path: String) {
        change { $0.paths.insert(path) }
    }

    static func forget(path: String) {
        change { $0.paths.remove(path) }
    }

    static func remember(processGroup: pid_t) {
        change { $0.processGroups.insert(processGroup) }
    }

    static func forget(processGroup: pid_t) {
        change { $0.processGroups.remove(processGroup) }
    }

    private static func change(_ body: (inout Remains) -> Void) {
        remains.withLock { remains in
            if !remains.isRegistered {
                remains.isRegistered = true
                atexit { ProcessExit.clean() }
            }
            body(&remains)
        }
    }

    private static func clean() {
        let left = remains.withLock { remains in
            defer { remains = Remains(isRegistered: true) }
            return remains
        }
        for group in left.processGroups { kill(-group, SIGKILL) }
        for path in left.paths {
            // A process that is just being killed may still add a file: removal is tried until nothing is left.
            for _ in 0..<50 where FileManager.default.fileExists(atPath: path) {
                if (try? FileManager.default.removeItem(atPath: path)) == nil { usleep(20_000) }
            }
        }
    }
}
