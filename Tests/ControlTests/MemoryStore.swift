import Control
import Model
import Synchronization

/// A store in memory that can be made to fail.
final class MemoryStore: BotStore, Sendable {
    private let state = Mutex<(bots: [BotID: StoredBot], error: StoreError?)>(([:], nil))

    func bots() async throws(StoreError) -> [StoredBot] {
        try state.withLock { state throws(StoreError) in
            if let error = state.error { throw error }
            return state.bots.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    func bot(_ id: BotID) async throws(StoreError) -> StoredBot? {
        try state.withLock { state throws(StoreError) in
            if let error = state.error { throw error }
            return state.bots[id]
        }
    }

    func put(_ bot: Bot) { state.withLock { $0.bots[bot.id] = .bot(bot) } }

    func put(_ document: JSONObject, as id: BotID) { state.withLock { $0.bots[id] = StoredBot(document: document) } }

    func remove(_ id: BotID) { state.withLock { $0.bots[id] = nil } }

    func fail(_ error: StoreError?) { state.withLock { $0.error = error } }
}

/// A live bot of a test.
func bot(_ id: BotID, enabled: Bool = true, config: JSONObject = [:], key: String = "code.zip") -> Bot {
    Bot(
        id: id,
        isEnabled: enabled,
        config: config,
        custom: CustomBotVersion(
            version: "1",
            code: .object(key: key),
            config: CustomBotConfig(name: "b", runtime: "python3.11", entrypoints: ["bot": "main.py"])
        )
    )
}
