import Control
import Logs
import Model
import Synchronization

/// A store that remembers of each bot which of its parameters are to be masked in its lines.
final class MaskedBots: BotStore {
    private let store: any BotStore
    private let maskings = Mutex<[BotID: LogMasking]>([:])

    init(_ store: any BotStore) { self.store = store }

    /// What to mask in a bot's lines; nil for nothing. Of a bot that was removed it is known until the next full reading.
    func masking(of id: BotID) -> LogMasking? { maskings.withLock { $0[id] } }

    func bots() async throws(StoreError) -> [StoredBot] {
        let stored = try await store.bots()
        let known = Dictionary(stored.compactMap(Self.masking)) { first, _ in first }
        maskings.withLock { $0 = known }
        return stored
    }

    func bot(_ id: BotID) async throws(StoreError) -> StoredBot? {
        let stored = try await store.bot(id)
        if let stored, let (id, masking) = Self.masking(stored) { maskings.withLock { $0[id] = masking } }
        return stored
    }

    private static func masking(_ stored: StoredBot) -> (BotID, LogMasking)? {
        guard case .bot(let bot) = stored else { return nil }
        let masking = LogMasking(config: bot.config)
        return masking.isEmpty ? nil : (bot.id, masking)
    }
}
