import Foundation
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

@Suite struct SpoolTests {
    private let place: Place

    init() throws { place = try Place() }

    private func add(_ bot: BotSpool, _ range: Range<Int>, of reference: String = "r", prefix: String = "line") {
        _ = bot.add(
            OutputBatch(lines: lines(range, prefix), position: OutputPosition(text: String(range.upperBound))),
            of: reference,
            masking: nil
        )
    }

    private func folder(_ id: BotID) -> String { place.spoolPath + "/bots/" + Spool.folderName(of: id) }

    private func segments(_ id: BotID) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder(id)).filter { $0.hasSuffix(".seg") }.sorted()
    }

    @Test func aSecondProcessIsToldThatTheSpoolIsInUse() throws {
        let first = try place.spool()
        let error = #expect(throws: LogsError.self) { try place.spool() }
        #expect(error?.code == .spoolInUse)
        #expect(error?.message.contains(place.spoolPath) == true)
        #expect(first.usedBytes == 0)
    }

    @Test(arguments: ["../../x", "/", "a/b", String(repeating: "ü", count: 2000), "..", "a\nb"])
    func noIDLeavesTheFolder(_ text: String) throws {
        let id = BotID(text)
        do {
            let bot = try place.spool().bot(id, now: noon)
            _ = try bot.begin(run("r", of: id))
            add(bot, 0..<2)
            #expect(bot.flush(now: noon).lines == 2)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.spoolPath).sorted() == ["bots", "lock"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.spoolPath + "/bots").count == 1)
        #expect(try place.spool().all.map(\.id) == [id])
    }

    /// A death tears off the last record at any byte: then its place is the one before it too.
    @Test func f19LinesAndPlaceAreKeptTogetherWhereverTheLastRecordIsTorn() throws {
        var sizes: [Int] = []
        do {
            let bot = try place.spool().bot("a", now: noon)
            _ = try bot.begin(run("r"))
            for end in [3, 7] {
                add(bot, (end == 3 ? 0 : 3)..<end)
                _ = bot.flush(now: noon)
                sizes.append(try bot.withDisk { disk throws(LogsError) in disk.held })
            }
        }
        let path = folder("a") + "/" + (try #require(try segments("a").first))
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(whole.count == sizes[1])
        for length in sizes[0]...sizes[1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            let bot = try place.spool().bot("a", now: noon)
            let isWhole = length == sizes[1]
            #expect(try bot.begin(run("r")) == .from(OutputPosition(text: isWhole ? "7" : "3")), "\(length)")
            let batch = try #require(try bot.withDisk { disk throws(LogsError) in try StoreBatch(disk) })
            #expect(messages(try batch.lines(0).bytes) == (0..<(isWhole ? 7 : 3)).map { "line \($0)" }, "\(length)")
        }
    }

    @Test func f23WhatThereIsNoRoomForIsCountedAndMarkedOnceAlsoAfterADeath() async throws {
        var spool: Spool? = try place.spool(limit: 1)
        var kept = 0
        do {
            let bot = try #require(try spool?.bot("a", now: noon))
            _ = try bot.begin(run("r"))
            var next = 0
            var dropped = 0
            // The room that every bot has is 1 MiB.
            while dropped == 0 {
                add(bot, next..<(next + 100), prefix: String(repeating: "x", count: 1000))
                dropped = bot.flush(now: noon).dropped
                if dropped == 0 { kept += 100 }
                next += 100
            }
            #expect(dropped == 100)
            add(bot, next..<(next + 5))
            #expect(bot.flush(now: noon).dropped == 5)
            let other = try #require(try spool?.bot("b", now: noon))
            add(other, 0..<10)
            #expect(other.flush(now: noon).dropped == 0)
        }
        spool = nil
        let again = try place.spool(limit: 1)
        let bot = try again.bot("a", now: noon)
        // The place went on.
        #expect(try bot.begin(run("r")) == .from(OutputPosition(text: String(kept + 105))))
        while try await place.storer().store(bot, now: noon) != nil {}
        add(bot, (kept + 105)..<(kept + 107))
        #expect(bot.flush(now: noon).dropped == 0)
        add(bot, (kept + 107)..<(kept + 108))
        #expect(bot.flush(now: noon).dropped == 0)
        while try await place.storer().store(bot, now: noon) != nil {}
        let stored = try await place.stored("a")
        #expect(stored.count == kept + 4)
        #expect(stored[kept] == "[105 lines are missing here: there was no room to keep them]")
        #expect(stored[(kept + 1)...] == ["line \(kept + 105)", "line \(kept + 106)", "line \(kept + 107)"])
    }

    @Test func f23OneThatShoutsLeavesRoomForOthers() throws {
        let spool = try place.spool(limit: 6 << 20)
        let loud = try spool.bot("loud", now: noon)
        let long = String(repeating: "x", count: 40_000)
        var kept = 0
        for number in 0..<300 {
            let batch = OutputBatch(lines: [line(long)], position: OutputPosition(text: String(number + 1)))
            _ = loud.add(batch, of: "r", masking: nil)
            if loud.flush(now: noon).dropped == 0 { kept += 1 }
        }
        #expect((48...56).contains(kept), "a third of the room: \(kept)")
        for number in 0..<5 {
            let quiet = try spool.bot(BotID("quiet \(number)"), now: noon)
            add(quiet, 0..<1000)
            #expect(quiet.flush(now: noon).dropped == 0)
        }
    }

    @Test func withoutAnObjectStoreTheLastLinesStay() throws {
        let spool = try place.spool(ring: 30_000, segments: 10_000)
        let bot = try spool.bot("a", now: noon)
        _ = try bot.begin(run("r"))
        let long = String(repeating: "x", count: 500)
        for number in 0..<200 {
            let batch = OutputBatch(
                lines: [line("\(number) \(long)")],
                position: OutputPosition(text: String(number + 1))
            )
            _ = bot.add(batch, of: "r", masking: nil)
            #expect(bot.flush(now: noon).dropped == 0)
        }
        let held = try bot.withDisk { disk throws(LogsError) in disk.held }
        #expect(held >= 30_000 && held <= 50_000)
        let batch = try #require(try bot.withDisk { disk throws(LogsError) in try StoreBatch(disk) })
        let last = try #require(messages(try batch.lines(batch.segments.count - 1).bytes).last)
        #expect(last.hasPrefix("199 "))
    }

    @Test func onlyWhatIsStoredAndOldAndWithoutRunsIsRemoved() async throws {
        let spool = try place.spool()
        let week = Duration.seconds(7 * 86_400)
        for id in [BotID("running"), BotID("stored"), BotID("waiting")] {
            let bot = try spool.bot(id, now: noon)
            _ = try bot.begin(run("r", of: id))
            add(bot, 0..<3)
            _ = bot.flush(now: noon)
            if id != "waiting" { _ = try await place.storer().store(bot, now: noon) }
        }
        func removeLeftovers(_ now: Timestamp) throws -> [BotID] {
            try spool.removeLeftovers(observed: ["running"], age: week, now: now)
            return spool.all.map(\.id).sorted()
        }
        #expect(try removeLeftovers(.now) == ["running", "stored", "waiting"])
        #expect(try removeLeftovers(Timestamp.now.advanced(by: .seconds(8 * 86_400))) == ["running", "waiting"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.spoolPath + "/bots").count == 2)
    }

    @Test func aRunThatWasReadToItsEndIsNotReadAgain() throws {
        do {
            let bot = try place.spool().bot("a", now: noon)
            #expect(try bot.begin(run("r")) == .from(nil))
            add(bot, 0..<3)
            _ = bot.flush(now: noon)
            try bot.end("r", at: noon)
            #expect(try bot.begin(run("r", exited: true)) == .ended)
        }
        let bot = try place.spool().bot("a", now: noon)
        #expect(try bot.begin(run("r", exited: true)) == .ended)
        // Its platform has started it again.
        var again = run("r")
        again.phase = .running(since: noon.advanced(by: .seconds(60)))
        #expect(try bot.begin(again) == .from(OutputPosition(text: "3")))
        // A hundred later, it isn't known any more; it is still not read again.
        try bot.end("r", at: noon)
        for number in 1...100 {
            _ = try bot.begin(run("r\(number)", made: number))
            try bot.end("r\(number)", at: noon)
        }
        #expect(try bot.begin(run("r", exited: true)) == .ended)
        #expect(try bot.begin(run("new", made: 1000)) == .from(nil))
    }

    /// Nothing that lies in a spool's folder can bring the process down, and what is good before the damage is kept.
    @Test(arguments: 0..<30) func damageIsReportedAndGoodRecordsBeforeItAreKept(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        do {
            let bot = try place.spool(segments: 10_000).bot("a", now: noon)
            _ = try bot.begin(run("r"))
            let long = String(repeating: "y", count: 200)
            for number in 0..<75 {
                let batch = OutputBatch(
                    lines: [line("\(number) \(long)")],
                    position: OutputPosition(text: String(number + 1))
                )
                _ = bot.add(batch, of: "r", masking: nil)
                _ = bot.flush(now: noon)
            }
        }
        let names = try segments("a")
        #expect(names.count == 3)
        let starts = try names.map { name in
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder("a") + "/" + name)))
            return try #require(PlacedRecord(in: bytes, at: 0)).number - 1
        }.map(Int.init)
        let which = Int.random(in: 0..<3, using: &random)
        let path = folder("a") + "/" + names[which]
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        let at = Int.random(in: 0..<data.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: data[at] ^= UInt8.random(in: 1...255, using: &random)
        case 1: data = data.prefix(at)
        case 2: data.replaceSubrange(at..<min(at + 64, data.count), with: Data(repeating: 0xFF, count: 64))
        default: data = Data((0..<500).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        try data.write(to: URL(fileURLWithPath: path))
        if seed % 3 == 0 {
            try Data((0..<8192).map { _ in UInt8.random(in: 0...255, using: &random) }).write(
                to: URL(fileURLWithPath: folder("a") + "/state")
            )
        }
        let spool = try place.spool(segments: 10_000)
        #expect(spool.damage.isEmpty == (which == 2))
        let bot = try #require(spool.all.first)
        let batch = try #require(try bot.withDisk { disk throws(LogsError) in try StoreBatch(disk) })
        var kept: [Int] = []
        for index in batch.segments.indices {
            for message in messages(try batch.lines(index).bytes) {
                if let number = Int(message.prefix { $0 != " " }) { kept.append(number) }
            }
        }
        #expect(kept == kept.sorted() && Set(kept).count == kept.count)
        // All that is in segments before the damaged one.
        let before = starts[which]
        #expect(kept.prefix(before) == ArraySlice(0..<before))
        // Only damage in the last one is read again; lines after other damage are there.
        if which < 2 { #expect(kept.last == 74) }
    }
}
