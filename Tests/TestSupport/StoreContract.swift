public import Control
public import Model
import Testing

/// What a test has a store hold: the custom bot is the store's own business, each entry's is a usable one.
public struct StoredEntry: Sendable {
    /// The id, or what stands in its place.
    public var id: JSONValue
    /// The top-level `enabled`; nil for none.
    public var enabled: JSONValue?
    /// The parameters, or what stands in their place; nil for none.
    public var config: JSONValue?

    /// An entry of these parts.
    public init(_ id: JSONValue, enabled: JSONValue? = nil, config: JSONValue? = [:]) {
        self.id = id
        self.enabled = enabled
        self.config = config
    }
}

/// What every ``BotStore`` promises. A store's tests call these with a store of their own and a way to fill it.
public enum StoreContract {
    /// Makes the store hold exactly these entries, written the way a person or the platform would.
    public typealias Fill = @Sendable ([StoredEntry]) async throws -> Void

    /// Ids that are valid, and that a careless program would stumble over.
    public static let hostileIDs: [BotID] = [
        "a/b", "../../etc/passwd", "..", ".", "'; drop", "\"quoted\"", "line\nbreak", "tab\t", " ", "$id", "a.b", "{}",
        "%00",
        "-rf", "日本語", "e\u{301}", "\u{E9}", "🤖", BotID(String(repeating: "x", count: 300)), "true", "null", "1", "~",
        "#", "*",
        "\\", "\u{202E}rtl", "\u{7F}", "A_b", "name-",
    ]

    /// All that reading promises.
    public static func reading(_ store: any BotStore, _ fill: Fill) async throws {
        try await emptyMeansNoBots(store, fill)
        try await configIsReadWhole(store, fill)
        try await enabledFollowsTheRule(store, fill)
        try await oneBrokenEntryDisturbsNoOther(store, fill)
        try await duplicatesAreOneBrokenEntry(store, fill)
        try await hostileIDsAreIDs(store, fill)
    }

    /// An empty store is no error and has no bots.
    public static func emptyMeansNoBots(_ store: any BotStore, _ fill: Fill) async throws {
        try await fill([])
        #expect(try await store.bots().isEmpty)
        #expect(try await store.bot("none") == nil)
    }

    /// Parameters keep their types, their order and whatever keys they have.
    public static func configIsReadWhole(_ store: any BotStore, _ fill: Fill) async throws {
        let text =
            #"{"z":1,"a":1.5,"big":9007199254740993,"neg":-1,"t":true,"n":null,"s":"'$(x)\"\\","u":"日本🤖","l":[1,[],{"b":1,"a":2}],"#
            + #""o":{"$dollar":1,"dot.ted":2,"":3},"e":{},"long":"\#(String(repeating: "y", count: 100_000))"}"#
        try await fill([StoredEntry("bot", config: try JSONValue.parse(text)), StoredEntry("bare", config: nil)])
        let bot = try await usable("bot", of: store)
        #expect(JSONValue.object(bot.config).text == text)
        #expect(try await usable("bare", of: store).config.isEmpty)
        #expect(try await store.bots().count == 2)
    }

    /// The contract's rule of what is switched on.
    public static func enabledFollowsTheRule(_ store: any BotStore, _ fill: Fill) async throws {
        try await fill([
            StoredEntry("plain"), StoredEntry("top", enabled: false), StoredEntry("config", config: ["enabled": false]),
            StoredEntry("both", enabled: true, config: ["enabled": false]), StoredEntry("zero", config: ["enabled": 0]),
        ])
        let bots = try await store.bots().compactMap { entry in
            if case .bot(let bot) = entry { bot } else { nil }
        }
        let enabled = Set(bots.filter(\.isEnabled).map(\.id))
        #expect(bots.count == 5)
        #expect(enabled == ["plain", "both"])
    }

    /// What can't be used is reported by id and field; the others are served (F65).
    public static func oneBrokenEntryDisturbsNoOther(_ store: any BotStore, _ fill: Fill) async throws {
        try await fill([
            StoredEntry("good"), StoredEntry("number", config: 7), StoredEntry("list", config: [1]),
            StoredEntry("switch", enabled: "maybe"), StoredEntry(7), StoredEntry(""), StoredEntry("also good"),
        ])
        let entries = try await store.bots()
        #expect(entries.count == 7)
        #expect(Set(entries.compactMap(\.usable?.id)) == ["good", "also good"])
        let fields = Dictionary(
            uniqueKeysWithValues: entries.compactMap(\.failure).compactMap { id, error in
                id.map { ($0, error.field) }
            }
        )
        #expect(fields == ["number": "config", "list": "config", "switch": "enabled"])
        #expect(entries.compactMap(\.failure).count { $0.id == nil && $0.error.field == "id" } == 2)
        #expect(try await store.bot("number")?.failure?.error.field == "config")
        #expect(try await store.bot("good")?.usable != nil)
    }

    /// Which of two entries of one id is meant can't be known.
    public static func duplicatesAreOneBrokenEntry(_ store: any BotStore, _ fill: Fill) async throws {
        try await fill([StoredEntry("twice"), StoredEntry("once"), StoredEntry("twice", config: ["other": 1])])
        let entries = try await store.bots()
        #expect(entries.count == 2)
        #expect(entries.compactMap(\.usable?.id) == ["once"])
        #expect(entries.compactMap(\.failure?.id) == ["twice"])
        #expect(try await store.bot("twice")?.failure?.error.field == "id")
    }

    /// An id is data, byte for byte.
    public static func hostileIDsAreIDs(_ store: any BotStore, _ fill: Fill) async throws {
        try await fill(hostileIDs.map { StoredEntry(.string($0.text), config: ["id": .string($0.text)]) })
        let bots = try await store.bots().compactMap(\.usable)
        #expect(Set(bots.map(\.id)) == Set(hostileIDs))
        for id in hostileIDs {
            let found = try await store.bot(id)?.usable
            #expect(found?.config["id"] == .string(id.text), "\(id.text.escapedForMessage)")
        }
        #expect(try await store.bot("A/B") == nil)
    }

    static func usable(_ id: BotID, of store: any BotStore) async throws -> Bot {
        let entry = try await store.bot(id)
        return try #require(entry?.usable, "\(String(describing: entry))")
    }
}

extension StoredBot {
    /// The bot, where it is usable.
    public var usable: Bot? {
        if case .bot(let bot) = self { bot } else { nil }
    }

    /// What is wrong, where something is.
    public var failure: (id: BotID?, error: DocumentError)? {
        if case .broken(let id, let error) = self { (id, error) } else { nil }
    }
}
