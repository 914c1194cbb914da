public import Control
public import Model
import Synchronization

/// Bots that a program keeps itself.
public final class MemoryStore: BotStore {
    private let stored = Mutex<[BotID: Bot]>([:])

    /// A store without bots.
    public init() {}

    /// All bots.
    public func bots() async throws(StoreError) -> [StoredBot] { stored.withLock { $0.values.map { .bot($0) } } }

    /// One bot.
    public func bot(_ id: BotID) async throws(StoreError) -> StoredBot? {
        stored.withLock { $0[id] }.map { .bot($0) }
    }

    /// Adds a bot, or changes it.
    public func put(_ bot: Bot) { stored.withLock { $0[bot.id] = bot } }

    /// Removes a bot.
    public func remove(_ id: BotID) { stored.withLock { $0[id] = nil } }
}
