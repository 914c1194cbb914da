import Foundation

/// What a fake server sends as it happens, on one connection.
final class FakeFeed: Sendable {
    private let condition = NSCondition()
    // Safety: only touched with the condition's lock.
    private nonisolated(unsafe) var pieces: [String] = []
    private nonisolated(unsafe) var isClosed = false

    func send(_ piece: String) {
        condition.withLock {
            pieces.append(piece)
            condition.signal()
        }
    }

    func close() {
        condition.withLock {
            isClosed = true
            condition.signal()
        }
    }

    /// The next piece; nil at the end. Blocks the fake's own thread.
    func next() -> String? {
        condition.withLock {
            while pieces.isEmpty, !isClosed { condition.wait() }
            return pieces.isEmpty ? nil : pieces.removeFirst()
        }
    }
}
