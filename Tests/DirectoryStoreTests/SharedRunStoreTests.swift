import Control
import Foundation
import Logging
import Model
import TestSupport
import Testing
import Util

@testable import DirectoryStore

/// Several processes that keep their runs in one directory.
@Suite(.timeLimit(.minutes(2))) struct SharedRunStoreTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static func store(_ path: String) throws -> DirectoryRunStore {
        try DirectoryRunStore(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    static func run(_ id: BotID, _ slot: Int64, owner: String) -> RunRecord {
        let time = Timestamp(secondsSince1970: 1_767_258_000)
        return RunRecord(id: id, slot: Slot(slot), owner: owner, claimedAt: time, notBefore: time, startBy: time)
    }

    /// Adds the same slots as everybody else, and goes on with those that were its own.
    static func compete(_ path: String, as owner: String) async throws {
        let store = try store(path)
        for slot in Int64(1)...20 {
            let runs = (["a", "b", "c"] as [BotID]).shuffled().map { run($0, slot, owner: owner) }
            let added = try await store.add(runs)
            for run in runs where added.contains(run.key) {
                guard try await store.replace(run.next { $0.phase = .running }) else {
                    throw FixtureProblem(text: "somebody else has gone on with \(run.key)")
                }
            }
        }
    }

    @Test func f29OfSeveralProcessesOneGetsASlotAndNoRecordIsLost() async throws {
        let path = folder.path
        await withTaskGroup(of: Void.self) { group in
            for number in 1...3 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String, number = number as Int] in
                        try await SharedRunStoreTests.compete(path, as: "process \(number)")
                    }
                }
            }
        }
        let runs = try await Self.store(path).history(of: nil, limit: 1000)
        #expect(runs.count == 60)
        #expect(Set(runs.map(\.key)).count == 60)
        // Whoever added a record went on with it, and nobody else did.
        #expect(runs.allSatisfy { $0.revision == 2 && $0.phase == .running })
    }

    /// Writes slot after slot, notes each that was acknowledged, and is killed from another thread in the middle of one.
    static func writeUntilKilled(_ path: String, after count: Int64) async throws {
        let store = try store(path)
        let notes = open("\(path)/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        for slot in Int64(1)... {
            if slot == count {
                Thread {
                    // The writing goes on meanwhile, for some steps.
                    for _ in 0..<UInt32.random(in: 0..<2000) { sched_yield() }
                    kill(getpid(), SIGKILL)
                }.start()
            }
            guard try await !store.add([run("a", count * 100_000 + slot, owner: "killed")]).isEmpty else { exit(2) }
            let line = Array("\(count * 100_000 + slot)\n".utf8)
            guard write(notes, line, line.count) == line.count else { exit(3) }
        }
    }

    @Test func f28AWriterThatIsKilledLosesNothingThatItWasToldIsKept() async throws {
        let path = folder.path
        for count in [1, 2, 5, 9, 14] as [Int64] {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, count = count as Int64] in
                try await SharedRunStoreTests.writeUntilKilled(path, after: count)
            }
            let acknowledged = ((try? String(contentsOfFile: folder.file("acknowledged"), encoding: .utf8)) ?? "")
                .split(separator: "\n").compactMap { Int64($0) }
            let store = try Self.store(path)
            let slots = Set(try await store.history(of: "a", limit: 100_000).map(\.slot.time))
            #expect(Set(acknowledged).subtracting(slots).isEmpty)
            // At most the one it was writing each time it was killed.
            #expect(slots.count <= acknowledged.count + 5)
            // The lock went with the process.
            #expect(try await store.add([Self.run("b", count, owner: "next")]).count == 1)
            #expect(try await store.unfinished(of: nil).count >= slots.count + 1)
        }
    }
}
