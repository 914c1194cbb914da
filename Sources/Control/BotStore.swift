public import Model

/// Where the desired state of live bots is written.
public protocol BotStore: Sendable {
    /// Every bot there is, switched on or not; a broken document is one entry among the others, and so are documents that
    /// share one id: no id comes twice.
    /// - Throws: ``StoreError`` when not all can be read: part of the truth isn't the truth.
    func bots() async throws(StoreError) -> [StoredBot]

    /// One bot, or nil when there is none of this id.
    /// - Throws: ``StoreError`` when the store can't tell.
    func bot(_ id: BotID) async throws(StoreError) -> StoredBot?
}

/// What events of the platform are written to: bots, or schedules, which are bots with a `config.schedule`.
public protocol BotWriting: Sendable {
    /// Whether there is none at all, broken ones included.
    func isEmpty() async throws(StoreError) -> Bool

    /// Adds a bot unless there is one of its id; then nothing changes.
    func create(_ document: BotDocument) async throws(StoreError)

    /// Sets the fields of a bot, adding it if need be. Fields that the document doesn't have stay as they are.
    func update(_ document: BotDocument) async throws(StoreError)

    /// Removes a bot; one that isn't there is a success.
    func delete(_ id: BotID) async throws(StoreError)
}

/// A store of live bots that can be written to.
public typealias WritableBotStore = BotStore & BotWriting

extension BotWriting where Self: BotStore {
    /// Whether there is no bot, found by reading all.
    public func isEmpty() async throws(StoreError) -> Bool { try await bots().isEmpty }
}

/// What an event says of a bot: the fields to write.
public struct BotDocument: Sendable, Hashable {
    /// The bot's id.
    public var id: BotID
    /// Fields by name as they stand at the top of the document (`config`, `custom`, `enabled`); never `id`.
    public var fields: JSONObject

    /// The fields to write for a bot.
    public init(id: BotID, fields: JSONObject) {
        self.id = id
        self.fields = fields
    }
}

/// A bot as a store has it: usable, or present but broken.
public enum StoredBot: Sendable, Hashable {
    /// A bot that can be served.
    case bot(Bot)
    /// A bot that is switched off. Whatever else is wrong with its document, that much is clear.
    case off(BotID)
    /// A document that can't be used. What runs for its id, where that is known, is left as it is.
    case broken(BotID?, DocumentError)

    /// The id, where it is known.
    public var id: BotID? {
        switch self {
        case .bot(let bot): bot.id
        case .off(let id): id
        case .broken(let id, _): id
        }
    }

    /// Reads a document.
    public init(document: JSONObject) {
        do { self = .bot(try Bot(document: document)) } catch {
            guard let id = try? Bot.id(of: document) else {
                self = .broken(nil, error)
                return
            }
            self = Bot.isSwitchedOff(document) ? .off(id) : .broken(id, error)
        }
    }

    /// Joins documents that claim the same id into one broken entry each: which of them is meant can't be known.
    public static func resolvingDuplicates(_ entries: [StoredBot]) -> [StoredBot] {
        var counts: [BotID: Int] = [:]
        for id in entries.lazy.compactMap(\.id) { counts[id, default: 0] += 1 }
        guard counts.contains(where: { $0.value > 1 }) else { return entries }
        var reported: Set<BotID> = []
        return entries.compactMap { entry in
            guard let id = entry.id, let count = counts[id], count > 1 else { return entry }
            guard reported.insert(id).inserted else { return nil }
            return .broken(id, .sharedID(id, documents: count))
        }
    }
}

/// A store that can't be read or written.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, Hashable {
        /// The store doesn't answer.
        case unavailable
        /// It refuses our credentials or a right is missing.
        case unauthorized
        /// It refuses what was asked, or its answer makes no sense.
        case refused
        /// The task was cancelled.
        case cancelled
    }

    /// What kind of failure it is.
    public let code: Code
    /// What failed, where, and what would have been allowed. Holds no config value and no password.
    public let message: String
    /// What it came from, for logs.
    public let cause: (any Error)?
    /// Whether the same may succeed later without a change.
    public var isRetryable: Bool { code != .refused }

    /// A failure.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
