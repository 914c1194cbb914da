public import Control
public import Model
import Testing

extension StoreContract {
    /// A custom bot that is usable.
    public static let custom: JSONValue = [
        "version": "1.0.0", "filePath": "bots/one.zip",
        "config": ["name": "one", "runtime": "python3.11", "type": "realtime", "entrypoints": ["bot": "main.py"]],
    ]

    /// All that writing promises, on a store that is empty before each part.
    public static func writing(_ store: any WritableBotStore, empty: @Sendable () async throws -> Void) async throws {
        try await empty()
        try await creatingAddsOnce(store)
        try await empty()
        try await updatingSetsWhatIsGiven(store)
        try await empty()
        try await deletingTwiceIsDeletingOnce(store)
        try await empty()
        try await hostileIDsAreWritten(store)
        try await empty()
        try await configIsWrittenWhole(store)
        try await empty()
        try await whatCannotBeWrittenIsRefused(store)
    }

    /// Creating leaves a bot that is there as it is.
    public static func creatingAddsOnce(_ store: any WritableBotStore) async throws {
        try await store.create(document("a", ["config": ["n": 1]]))
        try await store.create(document("a", ["config": ["n": 2]]))
        #expect(try await usable("a", of: store).config == ["n": 1])
        #expect(try await store.bots().count == 1)
    }

    /// An update changes the fields it has, and no other; it adds a bot that isn't there.
    public static func updatingSetsWhatIsGiven(_ store: any WritableBotStore) async throws {
        try await store.update(document("a", ["config": ["n": 1, "old": true]]))
        try await store.create(document("b", ["config": [:]]))
        try await store.update(BotDocument(id: "a", fields: ["config": ["n": 2]]))
        try await store.update(BotDocument(id: "a", fields: ["enabled": false]))
        try await store.update(BotDocument(id: "a", fields: [:]))
        let bot = try await usable("a", of: store)
        #expect(bot.config == ["n": 2])
        #expect(!bot.isEnabled)
        #expect(bot.custom.version == "1.0.0")
        #expect(try await usable("b", of: store).isEnabled)
        #expect(try await store.bots().count == 2)
    }

    /// Deleting what isn't there is a success.
    public static func deletingTwiceIsDeletingOnce(_ store: any WritableBotStore) async throws {
        try await store.create(document("a", ["config": [:]]))
        try await store.create(document("b", ["config": [:]]))
        try await store.delete("a")
        try await store.delete("a")
        #expect(try await store.bot("a") == nil)
        #expect(try await store.bots().map(\.id) == ["b"])
    }

    /// An id is data, byte for byte, when writing too.
    public static func hostileIDsAreWritten(_ store: any WritableBotStore) async throws {
        for id in hostileIDs { try await store.create(document(id, ["config": ["id": .string(id.text)]])) }
        #expect(Set(try await store.bots().compactMap(\.usable?.id)) == Set(hostileIDs))
        for id in hostileIDs {
            try await store.update(BotDocument(id: id, fields: ["config": ["new": .string(id.text)]]))
            #expect(try await store.bot(id)?.usable?.config == ["new": .string(id.text)])
        }
        #expect(try await store.bots().count == hostileIDs.count)
        for id in hostileIDs { try await store.delete(id) }
        #expect(try await store.bots().isEmpty)
    }

    /// Parameters come back as they were written.
    public static func configIsWrittenWhole(_ store: any WritableBotStore) async throws {
        let text =
            #"{"z":1,"a":1.5,"quarter":1.25,"big":9007199254740993,"huge":18446744073709551616,"t":true,"n":null,"s":"'$(x)\"\\","#
            + #""nul":"a\u0000b","l":[1,[],{"b":1,"a":2}],"o":{"$dollar":{"$set":1},"dot.ted":2,"":3},"$top":1,"e":{}}"#
        let config = try JSONValue.parse(text)
        try await store.create(document("created", ["config": config]))
        try await store.update(document("updated", ["config": config]))
        try await store.update(document("updated", ["config": config]))
        for id: BotID in ["created", "updated"] {
            #expect(JSONValue.object(try await usable(id, of: store).config).text == text)
        }
    }

    /// What can't be stored is an error that says so, not something else stored.
    public static func whatCannotBeWrittenIsRefused(_ store: any WritableBotStore) async throws {
        for id: BotID in ["", "a\0b"] {
            await refused { () throws(StoreError) in try await store.create(document(id, ["config": [:]])) }
            await refused { () throws(StoreError) in try await store.update(document(id, ["config": [:]])) }
        }
        for field in ["id", "_id"] {
            await refused { () throws(StoreError) in
                var fields = JSONObject()
                fields[field] = "other"
                try await store.update(BotDocument(id: "a", fields: fields))
            }
        }
        #expect(try await store.bots().isEmpty)
    }

    /// A document of a usable custom bot and these fields.
    public static func document(_ id: BotID, _ fields: JSONObject) -> BotDocument {
        var fields = fields
        fields["custom"] = custom
        return BotDocument(id: id, fields: fields)
    }

    private static func refused(_ operation: () async throws(StoreError) -> Void) async {
        let error = await #expect(throws: StoreError.self) { try await operation() }
        #expect(error?.code == .refused)
    }
}
