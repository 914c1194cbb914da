import Control
import Foundation
import Logging
import Model
import TestSupport
import Testing

@testable import DirectoryStore

/// What a reading finds that falls into the moment of a save, a checkout or an unmount.
@Suite struct HalfSavedFilesTests {
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
        for name in ["one", "two"] {
            try folder.write("\(name)/bot-config.yaml", DirectoryBotStoreTests.program)
            try folder.write("\(name)/main.py", "print(1)\n")
            try folder.write("\(name)/config.json", #"{"symbol": "BTC"}"#)
        }
    }

    /// The ids that can be served, and those that are broken.
    func reading() async throws -> (usable: [BotID], broken: [BotID]) {
        let bots = try await store.bots()
        let usable = bots.compactMap { if case .bot(let bot) = $0 { bot.id } else { nil } }
        return (usable, bots.compactMap(\.id).filter { !usable.contains($0) })
    }

    func expectBoth() async throws {
        let reading = try await reading()
        #expect(reading.usable == ["one", "two"])
        #expect(reading.broken.isEmpty)
    }

    /// Reads while a path is missing, and puts it back.
    func without(_ name: String, _ body: () async throws -> Void) async throws {
        let aside = try TemporaryFolder()
        try FileManager.default.moveItem(atPath: folder.file(name), toPath: aside.file("aside"))
        try await body()
        try FileManager.default.moveItem(atPath: aside.file("aside"), toPath: folder.file(name))
    }

    @Test(arguments: ["", "\n", "# bots\n", "bots:", "bots:\n", "~"])
    func aListThatIsEmptyIsAnErrorAndNotNoBots(text: String) async throws {
        try folder.write("bots.yaml", text)
        await #expect(throws: StoreError.self) { try await store.bots() }
        try folder.write("bots.yaml", "bots: []")
        #expect(try await store.bots().isEmpty)
    }

    @Test func aListIsReadOnceItIsLeftAlone() async throws {
        let path = try folder.write("bots.yaml", "- id: one\n")
        for age: Int64 in [0, 149] {
            try clocks.setAge(age, of: path)
            let error = await #expect(throws: StoreError.self) { try await store.bots() }
            #expect(error?.message.contains("is being written") == true)
        }
        for age: Int64 in [150, -60_000] {
            try clocks.setAge(age, of: path)
            #expect(try await reading().usable == ["one"])
        }
    }

    @Test func aListThatChangesWhileItIsReadIsAnError() async throws {
        let path = try folder.write("bots.yaml", "- id: one\n- id: two\n")
        clocks.atNextLook { truncate(path, 10) }
        let error = await #expect(throws: StoreError.self) { try await store.bots() }
        #expect(error?.message.contains("is being written") == true)
        #expect(try await reading().usable == ["one"])
    }

    @Test func aListThatIsMissingForAMomentIsNotOneBotAFolder() async throws {
        try folder.write("bots.yaml", "- {id: listed, bot: one}\n")
        #expect(try await reading().usable == ["listed"])
        try await without("bots.yaml") {
            await #expect(throws: StoreError.self) { try await store.bots() }
            clocks.advance(by: .milliseconds(1999))
            await #expect(throws: StoreError.self) { try await store.bot("listed") }
        }
        #expect(try await reading().usable == ["listed"])
        try await without("bots.yaml") {
            await #expect(throws: StoreError.self) { try await store.bots() }
            clocks.advance(by: .seconds(2))
            try await expectBoth()
        }
    }

    @Test(arguments: ["one/bot-config.yaml", "one/config.json", "one"])
    func whatIsMissingForAMomentLeavesItsBotAlone(name: String) async throws {
        try await expectBoth()
        try await without(name) {
            for _ in 0..<2 {
                let reading = try await reading()
                #expect(reading.usable == ["two"])
                #expect(reading.broken == ["one"])
                clocks.advance(by: .milliseconds(999))
            }
        }
        try await expectBoth()
    }

    @Test func whatStaysMissingIsBelieved() async throws {
        try await expectBoth()
        try FileManager.default.removeItem(atPath: folder.file("one/config.json"))
        try FileManager.default.removeItem(atPath: folder.file("two/bot-config.yaml"))
        #expect(try await reading().broken == ["one", "two"])
        clocks.advance(by: .seconds(2))
        guard case .bot(let bot) = try await store.bot("one") else { throw FixtureProblem(text: "one is broken") }
        #expect(bot.config == [:])
        #expect(try await store.bot("two") == nil)
        // It counts as new from here on.
        try folder.write("two/bot-config.yaml", DirectoryBotStoreTests.program)
        try await expectBoth()
    }

    @Test(arguments: ["bot-config.yaml", "config.json", "main.py", ""])
    func aProgramThatIsBeingSavedLeavesItsBotAlone(name: String) async throws {
        try await expectBoth()
        try folder.write("one/main.py", "pri")
        try clocks.setAge(20, of: folder.file("one/\(name)"))
        let reading = try await reading()
        #expect(reading.usable == ["two"])
        #expect(reading.broken == ["one"])
        clocks.advance(by: .milliseconds(130))
        try await expectBoth()
    }

    @Test func allFoldersMissingAtOnceAreAnErrorAtFirst() async throws {
        try await expectBoth()
        for name in ["one", "two"] { try FileManager.default.removeItem(atPath: folder.file(name)) }
        await #expect(throws: StoreError.self) { try await store.bots() }
        clocks.advance(by: .seconds(2))
        #expect(try await store.bots().isEmpty)
    }

    /// As a mount point is when its file system is gone.
    @Test func anotherEmptyFolderInTheDirectorysPlaceIsAnErrorForAsLongAsItLasts() async throws {
        try await expectBoth()
        let aside = try TemporaryFolder()
        try FileManager.default.moveItem(atPath: folder.path, toPath: aside.file("aside"))
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        for _ in 0..<3 {
            await #expect(throws: StoreError.self) { try await store.bots() }
            clocks.advance(by: .seconds(3600))
        }
        try folder.write("bots.yaml", "[]")
        #expect(try await store.bots().isEmpty)
        try FileManager.default.removeItem(atPath: folder.path)
        try FileManager.default.moveItem(atPath: aside.file("aside"), toPath: folder.path)
        await #expect(throws: StoreError.self) { try await store.bots() }
        clocks.advance(by: .seconds(2))
        try await expectBoth()
    }
}
