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
    /// The file that makes a folder a program.
    static let programFile = "bot-config.yaml"
    /// The file with the parameters of a folder's bot.
    static let configFile = "config.json"
    /// The file that lists bots.
    static let listFile = "bots.yaml"

    /// The directory.
    public let path: String
    private let logger: Logger
    private let executor: BlockingExecutor
    private let reader: BotFolderReader
    private let passedOver = Mutex<Set<BotID>>([])
    private let clock: FileClock
    private let files: Vanishings
    private let programs: Vanishings
    /// The folder in which something was found last.
    private let lastRoot = Mutex<FileIdentity?>(nil)

    /// What is wrong with something that was there a moment ago.
    static let doubt = "was there at the last reading and is missing; that is believed after 2 seconds"

    /// A store over a directory; nothing is read yet.
    /// - Throws: `StoreError` when the system has no thread left to read on.
    public convenience init(path: String, logger: Logger) throws(StoreError) {
        try self.init(path: path, logger: logger, clock: .system, grace: .seconds(2))
    }

    init(path: String, logger: Logger, clock: FileClock, grace: Duration) throws(StoreError) {
        self.path = path
        self.logger = logger
        self.clock = clock
        files = Vanishings(grace: grace, clock: clock)
        programs = Vanishings(grace: grace, clock: clock)
        reader = BotFolderReader(root: path, clock: clock, vanishings: files)
        do { executor = try BlockingExecutor(name: "directory", threads: 2) } catch {
            throw StoreError(.unavailable, error.message, cause: error)
        }
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
        _ = try await blocking { () throws(StoreError) in try self.entries() }
    }

    private func read(_ isWanted: @escaping @Sendable (BotID?) -> Bool) async throws(StoreError) -> [StoredBot] {
        try await blocking { () throws(StoreError) in
            let bots = try self.entries().filter { isWanted($0.id) }.compactMap { entry in
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
            let bot = try reader.bot(instance)
            guard bot.custom.config.type != "scheduled" else {
                if passedOver.withLock({ $0.insert(bot.id).inserted }) {
                    logger.info("bot passed over: it is scheduled, not live", metadata: ["bot": "\(bot.id)"])
                }
                return nil
            }
            return .bot(bot)
        } catch {
            return .broken(instance.id, error)
        }
    }

    /// What the directory lists. An entry that is broken is one failure among the others; a list that can't be read is none.
    private func entries() throws(StoreError) -> [BotEntry] {
        let names: [String]
        let root: FileIdentity
        do throws(FileProblem) {
            root = try TextFile.identity(path)
            names = try TextFile.names(in: path)
        } catch { throw failure(path, error.description) }
        let list: String?
        do throws(FileProblem) {
            list = try TextFile.read("\(path)/\(Self.listFile)", limit: YAMLDocument.longest, clock: clock)
        } catch {
            // There, though it can't be read.
            files.saw(Self.listFile)
            throw failure("\(path)/\(Self.listFile)", error.description)
        }
        if let list {
            files.saw(Self.listFile)
            lastRoot.withLock { $0 = root }
            return try entries(of: list, folders: Set(names))
        }
        let found = names.filter { TextFile.mayExist("\(path)/\($0)/\(Self.programFile)") }
        // A mount point whose file system is gone is an empty folder too, for as long as that lasts.
        guard !found.isEmpty || lastRoot.withLock({ $0 == nil || $0 == root }) else {
            throw failure(
                path,
                "is another folder than before and holds no bots; is something not mounted? A bots.yaml with [] means none"
            )
        }
        guard files.isGone(Self.listFile) else { throw failure("\(path)/\(Self.listFile)", Self.doubt) }
        let doubtful = programs.doubtful(besides: found)
        guard !found.isEmpty || doubtful.isEmpty else {
            throw failure(path, "holds no bots; \(doubtful.count) were there at the last reading")
        }
        if !found.isEmpty { lastRoot.withLock { $0 = root } }
        return found.map { .instance(BotInstance(folder: $0)) }
            + doubtful.map { folder in
                let id = BotInstance(folder: folder).id
                return .broken(
                    id,
                    DocumentError(id: id.text, field: "\(folder)/\(Self.programFile)", problem: Self.doubt)
                )
            }
    }

    private func entries(of list: String, folders: Set<String>) throws(StoreError) -> [BotEntry] {
        let place = "\(path)/\(Self.listFile)"
        let value: JSONValue
        do throws(YAMLProblem) { value = try YAMLDocument.parse(list) } catch {
            throw failure(place, error.description)
        }
        let listed = if case .object(let object) = value, object.count == 1 { object["bots"] ?? value } else { value }
        switch listed {
        case .null:
            throw failure(place, "is empty; a list without bots is written []")
        case .array(let elements):
            return elements.enumerated().map { BotEntry($1, position: $0 + 1, folders: folders) }
        default:
            throw failure(place, "is \(listed.kindName); expected a list of bots, or a mapping with the one key bots")
        }
    }

    private func failure(_ place: String, _ problem: String) -> StoreError {
        StoreError(.unavailable, "\(place.escapedForMessage) \(problem)")
    }

    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws(StoreError) -> Value)
        async throws(StoreError) -> Value
    {
        do { return try await executor.blocking { try body() } } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.cancelled, "reading \(path.escapedForMessage) was cancelled", cause: error)
        }
    }
}
