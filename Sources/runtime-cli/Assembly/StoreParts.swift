import Control
import DirectoryStore
import Logging
import MongoStore

/// The store that settings name, with what notices its changes.
struct StoreParts: Sendable {
    /// What it is called in health reports.
    let name: String
    let bots: any BotStore
    /// Where events of the platform are written to; nil for a store that only people write.
    let writable: (any WritableBotStore)?
    let sources: [any WakeSource]
    let check: @Sendable () async throws -> Void
    /// What is to be done once when the store answers.
    let prepare: (@Sendable () async throws -> Void)?

    init(_ store: RunnerSettings.Store, logger: Logger) throws(StoreError) {
        switch store {
        case .directory(let path):
            let store = try DirectoryBotStore(path: path, logger: logger)
            name = "store"
            bots = store
            writable = nil
            sources = [try DirectoryChangeSource(path: path, logger: logger)]
            check = { try await store.check() }
            prepare = nil
        case .mongo(let uri):
            let connection = try MongoConnection(uri: uri, logger: logger)
            let store = MongoBotStore(connection)
            name = "mongodb"
            bots = store
            writable = store
            sources = [MongoChangeSource(connection)]
            check = { try await store.check() }
            prepare = { _ = try await store.ensureIndex() }
        }
    }
}
