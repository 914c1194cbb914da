public import Control
public import Logging
public import Model
import Synchronization
import Util

/// Bots in a directory: each sub-folder with a `bot-config.yaml` and code is a program.
///
/// A file `bots.yaml` beside the folders lists the bots; without it each folder is one bot of its name, with the parameters of
/// its `config.json`. `docs/directory-store.md` tells the format.
public final class DirectoryBotStore: BotStore {
    /// The directory.
    public var path: String { directory.path }
    private let logger: Logger
    private let directory: BotDirectory
    private let passedOver = Mutex<Set<BotID>>([])

    /// A store over a directory; nothing is read yet.
    /// - Throws: `StoreError` when the system has no thread left to read on.
    public convenience init(path: String, logger: Logger) throws(StoreError) {
        try self.init(path: path, logger: logger, clock: .system, grace: .seconds(2))
    }

    init(path: String, logger: Logger, clock: FileClock, grace: Duration) throws(StoreError) {
        self.logger = logger
        directory = try BotDirectory(path: path, clock: clock, grace: grace)
    }

    /// Every live bot of the directory.
    /// - Throws: `StoreError` when the directory or its list can't be read.
    public func bots() async throws(StoreError) -> [StoredBot] { try await read { _ in true } }

    /// One bot, or nil when the directory has none of this id.
    /// - Throws: `StoreError` when the directory or its list can't be read.
    public func bot(_ id: BotID) async throws(StoreError) -> StoredBot? { try await read { $0 == id }.first }

    /// Whether the directory can be read now.
    /// - Throws: `StoreError` when it can't.
    public func check() async throws(StoreError) {
        _ = try await directory.blocking { directory throws(StoreError) in try directory.entries() }
    }

    private func read(_ isWanted: @escaping @Sendable (BotID?) -> Bool) async throws(StoreError) -> [StoredBot] {
        try await directory.blocking { directory throws(StoreError) in
            let bots = try directory.entries().filter { isWanted($0.id) }.compactMap { entry in
                switch entry {
                case .broken(let id, let error): StoredBot.broken(id, error)
                case .instance(let instance): self.stored(instance)
                }
            }
            return StoredBot.resolvingDuplicates(bots)
        }
    }

    private func stored(_ instance: BotInstance) -> StoredBot? {
        do throws(DocumentError) {
            guard let bot = try directory.reader.bot(instance, of: .live) else {
                if passedOver.withLock({ $0.insert(instance.id).inserted }) {
                    logger.info("bot passed over: it is scheduled, not live", metadata: ["bot": "\(instance.id)"])
                }
                return nil
            }
            return .bot(bot)
        } catch {
            return .broken(instance.id, error)
        }
    }
}
