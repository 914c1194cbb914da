import Control
import Model
import Synchronization

/// Wakes bots, but holds on for a moment while more events wait: after a pause of hours a bot may have many, and only
/// the last should restart it.
final class HeldWakes: Sendable {
    /// The longest that a bot is held.
    static let longest: Duration = .milliseconds(300)
    /// The most bots that are held.
    static let most = 1000

    private let wake: @Sendable (Wake) -> Void
    private let held = Mutex<Set<BotID>>([])
    private let (firstHeld, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(_ wake: @escaping @Sendable (Wake) -> Void) { self.wake = wake }

    /// Wakes a bot now or soon.
    func add(_ id: BotID, hold: Bool) {
        let count = held.withLock { held in
            held.insert(id)
            return held.count
        }
        if !hold || count >= Self.most { return release() }
        if count == 1 { signal.yield() }
    }

    /// Wakes all that are held.
    func release() {
        let ids = held.withLock { held in
            defer { held = [] }
            return held
        }
        for id in ids { wake(.bot(id)) }
    }

    /// Lets nobody be held too long, until cancelled.
    func releaseInTime() async {
        for await _ in firstHeld {
            // Cancelled while waiting: whoever cancels releases.
            try? await Task.sleep(for: Self.longest)
            release()
        }
    }
}
