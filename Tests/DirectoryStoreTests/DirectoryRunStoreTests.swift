import Control
import Foundation
import Logging
import Model
import Synchronization
import TestSupport
import Testing
import Util

@testable import DirectoryStore

@Suite struct DirectoryRunStoreTests {
    let folder: TemporaryFolder
    let store: DirectoryRunStore
    let clocks = TestClocks()
    let log = ErrorCount()

    init() throws {
        folder = try TemporaryFolder()
        store = try Self.store(folder, clocks, log)
    }

    static func store(_ folder: TemporaryFolder, _ clocks: TestClocks, _ log: ErrorCount, grace: Duration = .seconds(2))
        throws -> DirectoryRunStore
    {
        try DirectoryRunStore(
            path: folder.path,
            logger: Logger(label: "test") { _ in log },
            clock: clocks.clock,
            grace: grace,
            patience: .milliseconds(200)
        )
    }

    func run(_ id: BotID, _ slot: Slot, owner: String = "o") -> RunRecord {
        let time = Timestamp(secondsSince1970: 1_767_258_000)
        return RunRecord(id: id, slot: slot, owner: owner, claimedAt: time, notBefore: time, startBy: time)
    }

    func path(_ id: BotID) -> String { folder.file(StateFile.path(of: id)) }

    func text(_ id: BotID) throws -> String { try String(contentsOfFile: path(id), encoding: .utf8) }

    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.file(StateFile.folder)).sorted()
    }

    @Test func theStoreKeepsTheContract() async throws {
        // What the contract empties looks to the store like files that somebody removed; eight who write at once have patience.
        let store = try DirectoryRunStore(
            path: folder.path,
            logger: Logger(label: "test") { _ in log },
            clock: clocks.clock,
            grace: .zero
        )
        try await RunStoreContract.all(store) { [folder] in
            try? FileManager.default.removeItem(atPath: folder.file(".runtime"))
        }
        #expect(log.messages.isEmpty)
    }

    @Test func runsOutliveTheProcess() async throws {
        let first = run("weekly", 60)
        #expect(try await store.add([first]) == [first.key])
        let second = try Self.store(folder, clocks, log)
        #expect(try await second.unfinished(of: nil) == [first])
        #expect(try await second.add([run("weekly", 60, owner: "p")]).isEmpty)
    }

    @Test func aFileIsTextThatPeopleCanRead() async throws {
        _ = try await store.add([run("we_ekly report", 60), run("we_ekly report", Slot(61, trigger: .manual))])
        let lines = try text("we_ekly report").split(separator: "\n")
        #expect(lines.count == 8)
        #expect(lines[2] == #"  "schedule_id": "we_ekly report","#)
        #expect(lines[4].contains(#""slot":60,"trigger":"schedule""#))
        #expect(try names().first?.hasPrefix("we_ekly-report-") == true)
    }

    /// A history that can't be read isn't an empty one: its slots would run once more.
    @Test(arguments: [
        "", "{", "null", "[]", "{}", #"{"version": 2, "schedule_id": "a", "runs": []}"#,
        #"{"version": 1, "runs": []}"#, #"{"version": 1, "schedule_id": "a"}"#,
        #"{"version": 1, "schedule_id": "b", "runs": []}"#, #"{"version": 1, "schedule_id": "a", "runs": [7]}"#,
        #"{"version": 1, "schedule_id": "a", "runs": [{"schedule_id": "a", "slot": 60}]}"#,
        #"{"version": 1, "schedule_id": "a", "runs": [] } x"#,
    ])
    func f65AFileThatCannotBeReadStopsItsScheduleOnly(broken: String) async throws {
        _ = try await store.add([run("a", 60), run("b", 60)])
        try folder.write(StateFile.path(of: "a"), broken)
        let file = StateFile.path(of: "a")
        for operation in [
            { _ = try await store.add([run("a", 120)]) }, { _ = try await store.runs([RunKey("a", 60)]) },
            { _ = try await store.unfinished(of: ["a"]) }, { _ = try await store.history(of: "a", limit: 1) },
            { _ = try await store.replace(run("a", 60).next { _ in }) }, { try await store.trim("a", keeping: 0) },
        ] as [() async throws -> Void] {
            let error = await #expect(throws: StoreError.self) { try await operation() }
            #expect(error?.message.contains(file) == true, "\(String(describing: error))")
            #expect(error?.isRetryable == false)
        }
        #expect(try text("a") == broken)
        #expect(try await store.unfinished(of: nil).map(\.id) == ["b"])
        #expect(try await store.history(of: nil, limit: 9).map(\.id) == ["b"])
        #expect(log.messages.count == 1)
        #expect(try await store.replace(run("b", 60).next { $0.phase = .running }))
        // Those that are all right are written even in one call with one that isn't.
        await #expect(throws: StoreError.self) { try await store.add([run("a", 120), run("b", 120)]) }
        #expect(try await store.runs([RunKey("b", 120)]).count == 1)
    }

    @Test func aFileThatCannotBeReadMakesItsScheduleBroken() async throws {
        for name in ["a", "b"] {
            try folder.write("\(name)/bot-config.yaml", DirectoryScheduleStoreTests.program)
            try folder.write("\(name)/config.json", #"{"schedule": "@daily"}"#)
        }
        let schedules = try DirectoryScheduleStore(path: folder.path, clock: clocks.clock, grace: .seconds(2))
        let read = try await schedules.schedules().compactMap(\.usable)
        #expect(try await schedules.move(read.map { CursorMove(of: $0, to: 60, basis: "b") }).count == 2)
        let whole = try text("a")
        try folder.write(StateFile.path(of: "a"), String(whole.dropLast(4)))
        let entries = try await schedules.schedules()
        #expect(entries.compactMap(\.usable?.id) == ["b"])
        #expect(entries.compactMap(\.failure?.error.field) == [StateFile.path(of: "a")])
        try folder.write(StateFile.path(of: "a"), whole)
        #expect(try await schedules.schedules().compactMap(\.usable?.cursor.time) == [60, 60])
    }

    @Test func aFileCopiedToAnotherSchedulesPlaceIsNotItsHistory() async throws {
        _ = try await store.add([run("a", 60)])
        try folder.write(StateFile.path(of: "b"), try text("a"))
        await #expect(throws: StoreError.self) { try await store.runs([RunKey("b", 60)]) }
        #expect(try await store.unfinished(of: nil).map(\.id) == ["a"])
    }

    @Test func aFileThatIsRemovedIsBelievedGoneAfterAWhileOnly() async throws {
        _ = try await store.add([run("a", 60), run("b", 60)])
        try FileManager.default.removeItem(atPath: path("a"))
        await #expect(throws: StoreError.self) { try await store.add([run("a", 60)]) }
        await #expect(throws: StoreError.self) { try await store.unfinished(of: nil) }
        #expect(try await store.runs([RunKey("b", 60)]).count == 1)
        clocks.advance(by: .seconds(2))
        #expect(try await store.unfinished(of: nil).map(\.id) == ["b"])
        #expect(try await store.add([run("a", 60)]) == [RunKey("a", 60)])
    }

    /// As a mount point is when its file system is gone.
    @Test func anotherFolderInTheDirectorysPlaceIsNoEmptyHistory() async throws {
        _ = try await store.add([run("a", 60)])
        let aside = try TemporaryFolder()
        try FileManager.default.moveItem(atPath: folder.path, toPath: aside.file("aside"))
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        for _ in 0..<3 {
            await #expect(throws: StoreError.self) { try await store.add([run("a", 60)]) }
            await #expect(throws: StoreError.self) { try await store.unfinished(of: nil) }
            await #expect(throws: StoreError.self) { try await store.add([run("new", 60)]) }
            clocks.advance(by: .seconds(3600))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        try FileManager.default.removeItem(atPath: folder.path)
        try FileManager.default.moveItem(atPath: aside.file("aside"), toPath: folder.path)
        #expect(try await store.unfinished(of: nil).count == 1)
    }

    /// A writer that was killed leaves its temporary file, or its lock; both are harmless.
    @Test func whatAKilledWriterLeavesIsHarmless() async throws {
        _ = try await store.add([run("a", 60)])
        let leftover = StateFile.path(of: "a") + ".1234.tmp"
        try folder.write(leftover, #"{"version": 1, "sched"#)
        #expect(try await store.unfinished(of: nil).count == 1)
        #expect(try await store.add([run("a", 120)]).count == 1)
        #expect(try await store.history(of: nil, limit: 9).count == 2)
        #expect(try names().filter(StateFile.isTemporary).count == 1)
        // Once its writer can't be at it any more.
        clocks.advance(by: .seconds(3600))
        #expect(try await store.history(of: nil, limit: 9).count == 2)
        #expect(try names().filter(StateFile.isTemporary).isEmpty)
        #expect(log.messages.isEmpty)
    }

    @Test func whoHoldsALockForTooLongIsNamed() async throws {
        _ = try await store.add([run("a", 60), run("b", 60)])
        let lock = folder.file(StateFile.lock(of: "a"))
        // Closed in the programs that other tests start meanwhile, which would hold it on.
        let descriptor = open(lock, O_RDWR | O_CLOEXEC)
        #expect(flock(descriptor, LOCK_EX) == 0)
        let error = await #expect(throws: StoreError.self) { try await store.add([run("a", 120), run("b", 120)]) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains(StateFile.lock(of: "a")) == true)
        // Neither are others kept from writing, nor anybody from reading.
        #expect(try await store.unfinished(of: nil).map(\.slot.time).sorted() == [60, 60, 120])
        close(descriptor)
        #expect(try await store.add([run("a", 120)]).count == 1)
    }

    /// What was read is remembered only as long as the file is the same.
    @Test func aFileThatIsReplacedIsReadAnew() async throws {
        let files = try ScheduleFiles(
            root: folder.path,
            clock: clocks.clock,
            grace: .seconds(2),
            stampClock: clocks.clock
        )
        for slot in Int64(1)...20 {
            #expect(try await store.add([run("a", Slot(slot))]).count == 1)
            // Read, and remembered.
            for _ in 0..<2 { #expect(try files.summary(of: "a").unfinished.count == Int(slot)) }
        }
        #expect(try await store.replace(run("a", 7).next { $0.phase = .ended }))
        #expect(try files.summary(of: "a").unfinished.count == 19)
        try folder.write(StateFile.path(of: "a"), "{")
        for _ in 0..<2 { #expect(throws: StateProblem.self) { try files.summary(of: "a") } }
        try FileManager.default.removeItem(atPath: path("a"))
        #expect(throws: StateProblem.self) { try files.summary(of: "a") }
        clocks.advance(by: .seconds(2))
        #expect(try files.summary(of: "a").unfinished.isEmpty)
    }

    @Test func whereNothingIsKeptNothingIsWritten() async throws {
        #expect(try await !store.replace(run("a", 60)))
        try await store.trim("a", keeping: 0)
        #expect(try await store.unfinished(of: nil).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.file(".runtime")))
    }
}

/// Collects errors that are logged.
struct ErrorCount: LogHandler {
    private final class Storage: Sendable { let messages = Mutex<[String]>([]) }
    private let storage = Storage()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    var messages: [String] { storage.messages.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { storage.messages.withLock { $0.append("\(event.message)") } }
}
