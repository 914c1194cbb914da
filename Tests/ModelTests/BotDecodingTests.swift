import Model
import Testing

@Suite struct BotDecodingTests {
    static let good = """
        {"_id":"65","id":"b-1","enabled":true,"config":{"symbol":"BTC"},"unknown":[1],"segment_id":0,
         "custom":{"version":"1.0.2","filePath":"u/b/1.0.2.zip","createdAt":"2025-01-01T00:00:00Z",
         "updatedAt":"2026-01-02T03:04:05Z","config":{"name":"b","runtime":"python3.11","type":"realtime","author":"x",
         "entrypoints":{"bot":"main.py","query":"query.py"},"schema":{},"readme":"r","metadata":{}}}}
        """

    static func document(_ path: [String] = [], _ value: JSONValue? = nil) throws -> JSONObject {
        var root = try JSONValue.parse(good)
        if !path.isEmpty { root.set(path[...], value) }
        return try #require(root.object)
    }

    @Test func aDocumentBecomesABot() throws {
        let bot = try Bot(document: Self.document())
        #expect(bot.id == "b-1")
        #expect(bot.isEnabled)
        #expect(bot.config == ["symbol": "BTC"])
        #expect(bot.custom.version == "1.0.2")
        #expect(bot.custom.code == .object(key: "u/b/1.0.2.zip"))
        #expect(bot.custom.updatedAt == "2026-01-02T03:04:05Z")
        #expect(bot.custom.config.runtime == "python3.11")
        #expect(bot.custom.config.entrypoints == ["bot": "main.py", "query": "query.py"])
    }

    @Test(
        arguments: [
            (["id"], nil, "id"), (["id"], 7, "id"), (["id"], "", "id"), (["id"], "a\u{0}b", "id"),
            (["config"], 7, "config"), (["config"], "x", "config"), (["config"], [], "config"),
            (["enabled"], "yes", "enabled"), (["enabled"], 1, "enabled"),
            (["custom"], nil, "custom"), (["custom"], "x", "custom"), (["custom", "filePath"], nil, "custom.filePath"),
            (["custom", "filePath"], "", "custom.filePath"), (["custom", "filePath"], 3, "custom.filePath"),
            (["custom", "version"], 3, "custom.version"), (["custom", "config"], nil, "custom.config"),
            (["custom", "config", "runtime"], nil, "custom.config.runtime"),
            (["custom", "config", "runtime"], ["a"], "custom.config.runtime"),
            (["custom", "config", "entrypoints"], nil, "custom.config.entrypoints"),
            (["custom", "config", "entrypoints"], ["query": "q.py"], "custom.config.entrypoints.bot"),
            (["custom", "config", "entrypoints", "bot"], 1, "custom.config.entrypoints.bot"),
        ] as [([String], JSONValue?, String)]
    )
    func f65AFieldThatIsMissingOrWrongIsNamed(path: [String], value: JSONValue?, field: String) throws {
        let document = try Self.document(path, value)
        #expect { _ = try Bot(document: document) } throws: { error in
            guard let error = error as? DocumentError else { return false }
            return error.field == field && !error.problem.isEmpty
        }
    }

    @Test(
        arguments: [
            (true, .bool(false), true), (false, .bool(true), false), (nil, nil, true), (nil, .bool(false), false),
            (nil, .bool(true), true), (nil, .integer(0), false), (nil, .integer(2), true), (nil, .double(0), false),
            (nil, .double(0.5), true), (nil, .string("false"), false), (nil, .string("0"), false),
            (nil, .string("no"), true),
            (nil, .string(""), true), (nil, .null, true), (nil, .array([]), true), (nil, .object([:]), true),
        ] as [(Bool?, JSONValue?, Bool)]
    )
    func f10EnabledFollowsTheContractsRule(top: Bool?, config: JSONValue?, isEnabled: Bool) throws {
        #expect(Bot.enabled(top: top, config: config) == isEnabled)
        var document = try Self.document()
        document["enabled"] = top.map { .bool($0) }
        document["config"] = config.map { ["enabled": $0] } ?? [:]
        #expect(try Bot(document: document).isEnabled == isEnabled)
    }

    @Test func nullCountsAsMissing() throws {
        #expect(try Bot(document: Self.document(["enabled"], .null)).isEnabled)
        #expect(try Bot(document: Self.document(["config"], .null)).config.isEmpty)
    }

    @Test func anErrorNamesTheDocumentOnOneLine() {
        let error = DocumentError(id: "a\n\"b\"" + String(repeating: "x", count: 300), field: "f", problem: "p")
        #expect(!error.description.contains("\n"))
        #expect(error.description.count < 160)
    }

    @Test func idsAreComparedByteByByte() {
        #expect(BotID("\u{e9}") != BotID("e\u{301}"))
        #expect(Set([BotID("\u{e9}"), BotID("e\u{301}")]).count == 2)
    }

    @Test func aScheduleNeedsItsExpression() throws {
        var document = try Self.document()
        #expect { _ = try BotSchedule(document: document) } throws: {
            ($0 as? DocumentError)?.field == "config.schedule"
        }
        document["config"] = ["schedule": "0 9 * * 1"]
        document["next_execution_time"] = 1_800_000_000
        let schedule = try BotSchedule(document: document)
        #expect(schedule.schedule == "0 9 * * 1")
        #expect(schedule.cursor == ScheduleCursor(1_800_000_000) && schedule.cursor.time == 1_800_000_000)
    }

    @Test(arguments: ["soon", 0, -5, 1.5, [], true] as [JSONValue])
    func aCursorThatIsNoTimeIsKeptAsItStands(_ value: JSONValue) throws {
        var document = try Self.document()
        document["config"] = ["schedule": "0 9 * * 1"]
        document["next_execution_time"] = value
        let cursor = try BotSchedule(document: document).cursor
        #expect(cursor.value == value && cursor.time == nil && cursor.basis == nil)
    }

    @Test func slotsAreReadAsTheyAreWritten() {
        for slot in [0, 1_767_258_000, Slot(-1), Slot(7, trigger: .manual)] as [Slot] {
            #expect(Slot(slot.description) == slot)
        }
        for text in ["", "manual", "manual-", "+1", "01", "1.0", "manual-manual-1", "9223372036854775808", " 1"] {
            #expect(Slot(text) == nil)
        }
        #expect(([Slot(2), Slot(1, trigger: .manual), 1] as [Slot]).sorted() == [1, Slot(1, trigger: .manual), 2])
    }
}

extension JSONValue {
    fileprivate mutating func set(_ path: ArraySlice<String>, _ value: JSONValue?) {
        guard let key = path.first, case .object(var object) = self else { return }
        if path.count == 1 {
            object[key] = value
        } else {
            var child = object[key] ?? [:]
            child.set(path.dropFirst(), value)
            object[key] = child
        }
        self = .object(object)
    }
}
