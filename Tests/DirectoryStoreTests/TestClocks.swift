import Foundation
import Synchronization

@testable import DirectoryStore

/// Clocks that stand until they are moved; their day is an hour ahead, so that what a test writes counts as written long ago.
final class TestClocks: Sendable {
    private struct State {
        var wall: Int64
        var steady = ContinuousClock.now
        var onLook: (@Sendable () -> Void)?
    }

    private let state = Mutex(State(wall: FileClock.system.wall() + 3600 * 1_000_000_000))

    var clock: FileClock {
        FileClock(
            wall: {
                let (wall, onLook) = self.state.withLock { state in
                    defer { state.onLook = nil }
                    return (state.wall, state.onLook)
                }
                onLook?()
                return wall
            },
            steady: { self.state.withLock { $0.steady } }
        )
    }

    func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        state.withLock {
            $0.wall += seconds * 1_000_000_000 + attoseconds / 1_000_000_000
            $0.steady += duration
        }
    }

    /// Does something at the next look at the time, which is before a file's content is read.
    func atNextLook(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onLook = body } }

    /// Makes a file's modification time lie that many milliseconds in the past.
    func setAge(_ milliseconds: Int64, of path: String) throws {
        let time = state.withLock { $0.wall } - milliseconds * 1_000_000
        let spec = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        guard utimensat(AT_FDCWD, path, [spec, spec], 0) == 0 else {
            throw FixtureProblem(text: "utimensat of \(path): \(errno)")
        }
    }
}
