import Control
import Foundation
import Logging
import Model
import Synchronization
import TestSupport
import Testing
import Util

@testable import DirectoryStore

@Suite(.timeLimit(.minutes(1))) struct DirectoryChangeSourceTests {
    let folder: TemporaryFolder
    let source: DirectoryChangeSource
    let wakes = WakeCount()

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("bot/main.py", "1")
        // Without a second look every wake is due to a change.
        source = try Self.source(folder, followUp: -1)
    }

    static func source(_ folder: TemporaryFolder, followUp: Int32) throws -> DirectoryChangeSource {
        try DirectoryChangeSource(
            path: folder.path,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            followUp: followUp
        )
    }

    func watching(_ source: DirectoryChangeSource? = nil, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await (source ?? self.source).watch { _ in wakes.add() } }
            try await wakes.reach(1)
            try await body()
            group.cancelAll()
        }
    }

    @Test func aSavedFileWakes() async throws {
        try await watching {
            try folder.write("bot/main.py", "2")
            try await wakes.reach(2)
        }
    }

    @Test func aFileInANewFolderWakes() async throws {
        try await watching {
            try folder.write("new/main.py", "1")
            try await wakes.reach(2)
            try folder.write("new/main.py", "2")
            try await wakes.reach(3)
        }
    }

    @Test func anEditorsRenameWakes() async throws {
        try await watching {
            try folder.write("bot/.main.py.swp", "2")
            try await wakes.reach(2)
            guard rename(folder.file("bot/.main.py.swp"), folder.file("bot/main.py")) == 0 else {
                throw FixtureProblem(text: "rename failed: \(errno)")
            }
            try await wakes.reach(3)
        }
    }

    /// What is missing at the first look is believed at the second.
    @Test func aChangeIsLookedAtOnceMore() async throws {
        try await watching(Self.source(folder, followUp: 50)) {
            // The first wake's own.
            try await wakes.reach(2)
            try FileManager.default.removeItem(atPath: folder.file("bot/main.py"))
            try await wakes.reach(4)
        }
        #expect(wakes.count == 4)
    }

    @Test func manyChangesWakeFewTimes() async throws {
        try await watching {
            for index in 0..<500 { try folder.write("bot/file\(index).py", "\(index)") }
            try await wakes.reach(2)
        }
        // Three events a file; a machine that is slow to write them leaves quiet moments in between.
        #expect(wakes.count < 250)
    }

    @Test func aDirectoryThatGoesAndComesBackIsWatchedAgain() async throws {
        try await watching {
            try FileManager.default.removeItem(atPath: folder.path)
            try await wakes.reach(3)
            try folder.write("bot/main.py", "3")
            let before = wakes.count
            try await wakes.reach(before + 1)
        }
    }

    /// A scheduler's own writing isn't taken for a person's; who wants to know of it watches the runs.
    @Test func aRunWakesWhoWatchesRunsOnly() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let store = try DirectoryRunStore(path: folder.path, logger: logger)
        let time = Timestamp(secondsSince1970: 1_767_258_000)
        var run = RunRecord(id: "a", slot: 60, owner: "o", claimedAt: time, notBefore: time, startBy: time)
        _ = try await store.add([run])
        let runs = WakeCount()
        let source = try DirectoryChangeSource.runs(path: folder.path, logger: logger)
        #expect(source.name == "runs")
        try await watching {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await source.watch { _ in runs.add() } }
                try await runs.reach(1)
                run.slot = Slot(61, trigger: .manual)
                _ = try await store.add([run])
                try await runs.reach(2)
                group.cancelAll()
            }
            try folder.write("bot/main.py", "2")
            try await wakes.reach(2)
        }
        #expect(wakes.count == 2)
    }

    @Test func watchingLeavesNoDescriptor() async throws {
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        for _ in 0..<20 {
            let wakes = WakeCount()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await source.watch { _ in wakes.add() } }
                try await wakes.reach(1)
                group.cancelAll()
            }
        }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        // Other suites open files of their own meanwhile.
        #expect(after < before + 20)
    }
}

/// Counts wake-ups and waits for a number of them.
final class WakeCount: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    func add() { value.withLock { $0 += 1 } }

    func reach(_ number: Int) async throws {
        try await eventually(within: .seconds(20), "\(number) wake-ups") { count >= number }
    }
}
