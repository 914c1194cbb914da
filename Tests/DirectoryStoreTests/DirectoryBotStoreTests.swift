import Control
import Foundation
import Logging
import Model
import TestSupport
import Testing

@testable import DirectoryStore

@Suite struct DirectoryBotStoreTests {
    static let program = "name: n\nversion: 1.0\nruntime: python3.11\nentrypoints:\n  bot: main.py\nhasFrontend: true\n"
    let folder: TemporaryFolder
    let store: DirectoryBotStore
    let clocks = TestClocks()

    init() throws {
        folder = try TemporaryFolder()
        store = try DirectoryBotStore(
            path: folder.path,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clocks.clock,
            grace: .seconds(2)
        )
    }

    func addProgram(_ name: String, config: String? = nil, program: String = program) throws {
        try folder.write("\(name)/bot-config.yaml", program)
        try folder.write("\(name)/main.py", "print(1)\n")
        if let config { try folder.write("\(name)/config.json", config) }
    }

    func bot(_ id: BotID) async throws -> Bot {
        guard case .bot(let bot) = try await store.bot(id) else { throw FixtureProblem(text: "\(id) is no usable bot") }
        return bot
    }

    func error(_ id: BotID) async throws -> DocumentError {
        guard case .broken(_, let error) = try await store.bot(id) else {
            throw FixtureProblem(text: "\(id) isn't broken")
        }
        return error
    }

    @Test func theStoreKeepsTheContractOfReading() async throws {
        try addProgram("program")
        let path = folder.file("bots.yaml")
        try await StoreContract.reading(store) { entries in
            let list = entries.map { entry -> JSONValue in
                var object: JSONObject = ["id": entry.id, "bot": "program"]
                object["enabled"] = entry.enabled
                object["config"] = entry.config
                return .object(object)
            }
            // JSON is YAML.
            try Data(JSONValue.array(list).text.utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test func aFolderIsABotOfItsNameWithItsConfig() async throws {
        try addProgram("sma", config: #"{"symbol": "BTC", "enabled": 0}"#)
        try addProgram("other")
        try folder.write("no-program/readme.txt", "x")
        try folder.write("file.txt", "x")
        #expect(try await store.bots().compactMap(\.id) == ["other", "sma"])
        let bot = try await bot("sma")
        #expect(bot.config == ["symbol": "BTC", "enabled": 0])
        #expect(!bot.isEnabled)
        #expect(bot.custom.version == "1.0")
        #expect(bot.custom.config.runtime == "python3.11")
        #expect(try await store.bot("nothing") == nil)
    }

    @Test func aListSaysWhichBotsThereAre() async throws {
        try addProgram("sma", config: #"{"symbol": "BTC"}"#)
        try folder.write(
            "bots.yaml",
            """
            bots:
              - id: "a/../b 'x'"
                bot: sma
                enabled: false
                config: {z: 1, a: [1.5, yes, "yes", 2026-01-01, null, 1_000, 0x10], nested: {k: v}}
              - id: sma
            """
        )
        #expect(try await store.bots().compactMap(\.id) == ["a/../b 'x'", "sma"])
        let listed = try await bot("a/../b 'x'")
        #expect(!listed.isEnabled)
        #expect(listed.config.keys == ["z", "a", "nested"])
        let symbol = try await bot("sma").config["symbol"]
        #expect(symbol == "BTC")
    }

    @Test func savingAFileChangesTheCodeAndTouchingNothingDoesNot() async throws {
        try addProgram("sma")
        let before = try await bot("sma").custom.code
        let again = try await bot("sma").custom.code
        #expect(again == before)
        try folder.write("sma/main.py", "print(2)\n")
        let after = try await bot("sma").custom.code
        #expect(after != before)
    }

    @Test(arguments: [
        ("bot: sma", "id"), ("id: 7", "id"), ("id: ''", "id"), ("id: x\n  bot: missing", "bot"),
        ("id: x\n  bot: ../sma", "bot"),
        ("id: x\n  bot: sma\n  enbled: true", "enbled"), ("id: x\n  bot: sma\n  enabled: 'no'", "enabled"),
        ("id: x\n  bot: sma\n  config: 7", "config"), ("id: x\n  bot: [sma]", "bot"),
    ])
    func f65ABrokenEntryIsNamedAndTheOthersAreServed(entry: String, field: String) async throws {
        try addProgram("sma")
        try folder.write("bots.yaml", "- id: good\n  bot: sma\n- \(entry)\n")
        let bots = try await store.bots()
        #expect(bots.count == 2)
        guard case .bot(let good) = bots[0], case .broken(_, let error) = bots[1] else {
            Issue.record("expected one good and one broken, got \(bots)")
            return
        }
        #expect(good.id == "good")
        #expect(error.field == field)
    }

    @Test(arguments: [
        ("runtime: python3.11\nentrypoints: {bot: main.py}\nruntime: x", "twice"), ("- a\n- b", "expected a mapping"),
        ("runtime: [", "line"), ("\tx: 1", "line"), ("runtime: 3\nentrypoints: {bot: main.py}", "expected text"),
        ("runtime: python3.11", "entrypoints"),
        ("runtime: python3.11\nentrypoints: main.py", "expected an object"),
    ])
    func aBrokenProgramIsAnErrorOfItsBotsOnly(program: String, says: String) async throws {
        try addProgram("good")
        try addProgram("bad", program: program)
        let text = try await error("bad").description
        #expect(text.contains(says), "\(text)")
        let good = try await bot("good")
        #expect(good.isEnabled)
    }

    @Test func anUnreadableListChangesNothing() async throws {
        try addProgram("sma")
        for text in ["bots: [", "bots: 7", "a: 1\nb: 2", "- &a [*a, *a", String(repeating: "x", count: 2 << 20)] {
            try folder.write("bots.yaml", text)
            await #expect(throws: StoreError.self) { try await store.bots() }
        }
        try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: folder.file("bots.yaml")))
        await #expect(throws: StoreError.self) { try await store.bots() }
        try folder.write("bots.yaml", "[]")
        #expect(try await store.bots().isEmpty)
    }

    @Test func anUnfoldingListIsBounded() async throws {
        var text = "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        for (name, before) in zip("bcdefghij", "abcdefghi") {
            text += "\(name): &\(name) [" + Array(repeating: "*\(before)", count: 10).joined(separator: ",") + "]\n"
        }
        try addProgram("sma", program: text)
        let problem = try await error("sma").problem
        #expect(problem.contains("unfolds"))
    }

    @Test func aMissingDirectoryIsAnErrorAndNotAnEmptyOne() async throws {
        folder.remove()
        await #expect(throws: StoreError.self) { try await store.bots() }
        await #expect(throws: StoreError.self) { try await store.bot("sma") }
        await #expect(throws: StoreError.self) { try await store.check() }
    }

    @Test func aFolderThatIsGoneIsABotThatIsGone() async throws {
        try addProgram("sma")
        try addProgram("other")
        #expect(try await store.bots().count == 2)
        try FileManager.default.removeItem(atPath: folder.file("sma"))
        #expect(try await store.bots().count == 2)
        clocks.advance(by: .seconds(2))
        #expect(try await store.bots().compactMap(\.id) == ["other"])
    }

    @Test func twoEntriesOfOneIdAreAnErrorOfBoth() async throws {
        try addProgram("sma")
        try folder.write("bots.yaml", "- {id: x, bot: sma}\n- {id: x, bot: sma}\n- {id: y, bot: sma}\n")
        #expect(try await store.bots().count == 2)
        let field = try await error("x").field
        #expect(field == "id")
        #expect(try await bot("y").isEnabled)
    }

    @Test(arguments: ["name: off", "name: 42", "version: 2", "version: ~\nname: ~"])
    func aNameThatLooksLikeSomethingElseIsAName(line: String) async throws {
        try addProgram("sma", program: "\(line)\nruntime: python3.11\nentrypoints: {bot: main.py}\n")
        #expect(try await bot("sma").isEnabled)
    }

    @Test func aScheduledBotIsNotLive() async throws {
        try addProgram("tracker", program: Self.program + "type: scheduled\n")
        #expect(try await store.bots().isEmpty)
        #expect(try await store.bot("tracker") == nil)
    }

    @Test func theExampleBotsAreUsable() async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Examples/bots").path
        let examples = try DirectoryBotStore(
            path: root,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let bots = try await examples.bots()
        #expect(
            bots.compactMap(\.id) == ["heartbeat", "sma-btc", "sma-eth", "price-alerts", "crasher", "switched-off"]
        )
        for bot in bots {
            guard case .bot = bot else {
                Issue.record("\(bot)")
                continue
            }
        }
    }
}

struct FixtureProblem: Error { let text: String }
