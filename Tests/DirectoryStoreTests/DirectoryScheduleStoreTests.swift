import Control
import Foundation
import Logging
import Model
import TestSupport
import Testing

@testable import DirectoryStore

@Suite struct DirectoryScheduleStoreTests {
    static let program = DirectoryBotStoreTests.program + "type: scheduled\n"
    let folder: TemporaryFolder
    let store: DirectoryScheduleStore
    let clocks = TestClocks()

    init() throws {
        folder = try TemporaryFolder()
        store = try DirectoryScheduleStore(path: folder.path, clock: clocks.clock, grace: .seconds(2))
    }

    func addProgram(_ name: String, config: String? = nil, program: String = program) throws {
        try folder.write("\(name)/bot-config.yaml", program)
        try folder.write("\(name)/main.py", "print(1)\n")
        if let config { try folder.write("\(name)/config.json", config) }
    }

    func schedule(_ id: BotID) async throws -> BotSchedule {
        let found = try await store.schedules([id])
        return try #require(found.first?.usable, "\(found)")
    }

    func error(_ id: BotID) async throws -> DocumentError {
        let found = try await store.schedules([id])
        return try #require(found.first?.failure?.error, "\(found)")
    }

    @Test func theStoreKeepsTheContract() async throws {
        try addProgram("program")
        // What is filled in anew looks to the store like files that somebody removed.
        let store = try DirectoryScheduleStore(path: folder.path, clock: clocks.clock, grace: .zero)
        try await ScheduleStoreContract.all(store) { [folder] entries in
            let list = entries.map { entry -> JSONValue in
                var object: JSONObject = ["id": entry.id, "bot": "program"]
                object["enabled"] = entry.enabled
                object["config"] = entry.config
                return .object(object)
            }
            try? FileManager.default.removeItem(atPath: folder.file(".runtime"))
            for entry in entries {
                guard let text = entry.id.string, let id = try? BotID(validating: text) else { continue }
                var state = ScheduleState(id: id)
                state.cursor = ScheduleCursor(value: entry.cursor, basis: entry.basis)
                if state.cursor != ScheduleCursor() { try folder.write(StateFile.path(of: id), state.text) }
            }
            // JSON is YAML.
            try Data(JSONValue.array(list).text.utf8).write(to: URL(fileURLWithPath: folder.file("bots.yaml")))
        }
    }

    @Test func aScheduledFolderIsAScheduleAndALiveOneIsNot() async throws {
        try addProgram("weekly", config: #"{"schedule": "0 9 * * 1", "symbol": "BTC"}"#)
        try addProgram("live", config: #"{"schedule": "0 9 * * 1"}"#, program: DirectoryBotStoreTests.program)
        #expect(try await store.schedules().map(\.id) == ["weekly"])
        let schedule = try await schedule("weekly")
        #expect(schedule.schedule == "0 9 * * 1")
        #expect(schedule.bot.config["symbol"] == "BTC")
        #expect(schedule.cursor == ScheduleCursor())
        #expect(try await store.schedules(["live"]).isEmpty)
    }

    /// What is wrong with a scheduled bot is the scheduler's to tell, not the bot runner's.
    @Test func aBrokenConfigIsReportedByItsOwnStoreOnly() async throws {
        try addProgram("weekly", config: "{")
        try addProgram("live", config: "{", program: DirectoryBotStoreTests.program)
        let bots = try DirectoryBotStore(
            path: folder.path,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clocks.clock,
            grace: .seconds(2)
        )
        #expect(try await bots.bots().map(\.id) == ["live"])
        #expect(try await store.schedules().map(\.id) == ["weekly"])
        #expect(try await error("weekly").field == "weekly/config.json")
    }

    @Test(arguments: [
        (nil, "is missing"), ("{}", "is missing"), (#"{"schedule": null}"#, "is missing"),
        (#"{"schedule": 5}"#, "is a number"), (#"{"schedule": "a\u0000"}"#, "NUL"),
    ])
    func f65AScheduleWithoutAnExpressionIsNamedByFileAndField(config: String?, says: String) async throws {
        try addProgram("weekly", config: config)
        try addProgram("good", config: #"{"schedule": "@daily"}"#)
        let error = try await error("weekly")
        #expect(error.field == "weekly/config.json: schedule")
        #expect(error.problem.contains(says))
        #expect(try await store.schedules().compactMap(\.usable?.id) == ["good"])
    }

    @Test func aScheduleThatIsSwitchedOffNeedsNoExpression() async throws {
        try addProgram("weekly", config: #"{"enabled": false}"#)
        #expect(try await store.schedules() == [.off("weekly")])
    }

    @Test(arguments: ["weekly", "weekly/bot-config.yaml", "weekly/config.json"])
    func whatIsMissingForAMomentIsBrokenAndNotAbsent(name: String) async throws {
        try addProgram("weekly", config: #"{"schedule": "@daily"}"#)
        try addProgram("other", config: #"{"schedule": "@daily"}"#)
        let before = try await schedule("weekly")
        try FileManager.default.removeItem(atPath: folder.file(name))
        _ = try await error("weekly")
        // Nothing is reckoned by an expression that isn't there.
        #expect(try await store.move([CursorMove(of: before, to: 60, basis: "b")]).isEmpty)
        clocks.advance(by: .milliseconds(1999))
        _ = try await error("weekly")
    }

    @Test func aListThatIsBeingWrittenMovesNoCursor() async throws {
        try addProgram("weekly", config: #"{"schedule": "@daily"}"#)
        let path = try folder.write("bots.yaml", "- id: weekly\n")
        let before = try await schedule("weekly")
        try clocks.setAge(10, of: path)
        await #expect(throws: StoreError.self) { try await store.move([CursorMove(of: before, to: 60, basis: "b")]) }
        clocks.advance(by: .seconds(1))
        #expect(try await store.move([CursorMove(of: before, to: 60, basis: "b")]) == ["weekly"])
        #expect(try await schedule("weekly").cursor == ScheduleCursor(60, basis: "b"))
    }

    /// Neither is our folder a program, nor can anybody make it one.
    @Test func theFolderOfCursorsIsNoProgram() async throws {
        try addProgram("weekly", config: #"{"schedule": "@daily"}"#)
        try addProgram(".runtime", config: #"{"schedule": "@daily"}"#)
        #expect(try await store.schedules().map(\.id) == ["weekly"])
        try folder.write("bots.yaml", "- {id: x, bot: .runtime}\n")
        #expect(try await error("x").field == "bot")
    }

    @Test func movingACursorChangesNoCode() async throws {
        try addProgram("weekly", config: #"{"schedule": "@daily"}"#)
        let before = try await schedule("weekly")
        #expect(try await store.move([CursorMove(of: before, to: 60, basis: "b")]) == ["weekly"])
        #expect(try await schedule("weekly").bot == before.bot)
    }

    @Test func aDirectoryThatCannotBeWrittenIsAClearError() async throws {
        try addProgram("weekly", config: #"{"schedule": "@daily"}"#)
        // A file in the folder's place stops the administrator too.
        try folder.write(".runtime", "")
        let weekly = try await schedule("weekly")
        let error = await #expect(throws: StoreError.self) {
            try await store.move([CursorMove(of: weekly, to: 60, basis: "b")])
        }
        #expect(error?.message.contains(".runtime/schedules") == true)
        await #expect(throws: StoreError.self) { try await store.check() }
        try FileManager.default.removeItem(atPath: folder.file(".runtime"))
        try await store.check()
        #expect(FileManager.default.fileExists(atPath: folder.file(".runtime/schedules")))
    }

    @Test func aRightThatIsMissingIsNamed() {
        for number in [EROFS, EACCES, EPERM] {
            let error = StateProblem.system("can't be made", ".runtime", number).storeError(in: "/bots")
            #expect(error.code == .unauthorized)
            #expect(error.message.contains("\"/bots/.runtime\""))
            #expect(error.message.contains("must be writable"))
        }
        #expect(StateProblem.system("can't be made", ".runtime", ENOSPC).code == .unavailable)
    }
}
