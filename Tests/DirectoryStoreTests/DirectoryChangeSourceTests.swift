import Control
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

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
