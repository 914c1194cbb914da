import Foundation
import Model
import ObjectStorage
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

/// On a file system of its own with little room; needs the right to mount.
@Suite struct DiskFullIntegration {
    private let folder: TemporaryFolder
    private let storer: DayStorer
    private let storage: DirectoryObjectStorage

    init() throws {
        folder = try TemporaryFolder()
        let executor = try BlockingExecutor(name: "logs")
        try FileManager.default.createDirectory(atPath: folder.file("bucket"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder.file("disk"), withIntermediateDirectories: true)
        storage = DirectoryObjectStorage(root: folder.file("bucket"), executor: executor)
        storer = DayStorer(storage: storage, executor: executor)
    }

    @Test func f23AFullDiskCostsCountedLinesAndIsEmptiedByStoring() async throws {
        let disk = folder.file("disk")
        let mounted = try await runCommand(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk])
        try #require(mounted.isSuccess, "\(mounted.errorText)")
        do { try await fill(disk) } catch {
            _ = try await runCommand(["umount", "-l", disk])
            throw error
        }
        let released = try await runCommand(["umount", "-l", disk])
        #expect(released.isSuccess)
    }

    private func fill(_ disk: String) async throws {
        var spool: Spool? = try Spool(path: disk + "/spool", now: noon)
        var kept = 0
        var dropped = 0
        func write(_ count: Int) throws -> SpoolWriting {
            let bot = try #require(try spool?.bot("a", now: noon))
            let next = kept + dropped
            let batch = OutputBatch(
                lines: lines(next..<(next + count)),
                position: OutputPosition(text: String(next + count))
            )
            _ = bot.add(batch, of: "r", masking: nil)
            return bot.flush(now: noon)
        }
        _ = try spool?.bot("a", now: noon).begin(run("r"))
        for _ in 0..<100 {
            let writing = try write(100)
            kept += writing.lines
            dropped += writing.dropped
            if writing.dropped > 0 { #expect(writing.failure?.code == .diskFull) }
        }
        #expect(kept > 1000 && dropped > 1000 && kept + dropped == 10_000)
        // Dies with the disk full; another bot finds no room at all, and says so.
        spool = nil
        spool = try Spool(path: disk + "/spool", now: noon)
        let bot = try #require(try spool?.bot("a", now: noon))
        #expect(try bot.begin(run("r")) == .from(OutputPosition(text: "10000")))
        while try await storer.store(bot, now: noon) != nil {}
        #expect(try write(1).dropped == 0)
        while try await storer.store(bot, now: noon) != nil {}
        let key = LogDay(of: noon).key(of: "a")
        let stored = messages(try await storage.getBytes(key, limit: 10 << 20))
        #expect(stored.count == kept + 2)
        let marks = stored.filter { $0.hasPrefix("[") }
        #expect(marks == ["[\(dropped) lines are missing here: there was no room to keep them]"])
        #expect(stored.last == "line 10000")
    }
}
