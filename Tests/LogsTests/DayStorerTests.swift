import Foundation
import Model
import ObjectStorage
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

@Suite struct DayStorerTests {
    private let place: Place

    init() throws { place = try Place() }

    private func add(_ bot: BotSpool, _ lines: [OutputText], to position: Int, of reference: String = "r") {
        _ = bot.add(
            OutputBatch(lines: lines, position: OutputPosition(text: String(position))),
            of: reference,
            masking: nil
        )
    }

    @Test func eachDayHasItsObjectByTheLinesOwnTime() async throws {
        let bot = try place.spool().bot("a", now: noon)
        let before = Duration.seconds(43_199)
        let after = Duration.seconds(43_201)
        for number in 0..<4 {
            add(bot, [line("late \(number)", at: before), line("early \(number)", at: after)], to: number * 2 + 2)
            _ = bot.flush(now: noon)
        }
        while try await place.storer().store(bot, now: noon) != nil {}
        #expect(try await place.stored("a") == (0..<4).map { "late \($0)" })
        let next = LogDay(number: LogDay(of: noon).number + 1)
        #expect(try await place.stored("a", day: next) == (0..<4).map { "early \($0)" })
        #expect(next.key(of: "a") == "logs/a/20270116.log")
        #expect(try bot.withDisk { disk throws(LogsError) in disk.unstored } == 0)
        add(bot, [line("later", at: before)], to: 9)
        _ = bot.flush(now: noon)
        while try await place.storer().store(bot, now: noon) != nil {}
        #expect(try await place.stored("a").last == "later")
    }

    @Test func whatOthersAddedStays() async throws {
        let key = LogDay(of: noon).key(of: "a")
        try await place.storage.put(key, bytes: Array("theirs\n".utf8), contentType: "text/plain")
        let bot = try place.spool().bot("a", now: noon)
        add(bot, lines(0..<2), to: 2)
        _ = bot.flush(now: noon)
        _ = try await place.storer().store(bot, now: noon)
        let info = try await place.storage.info(key)
        try await place.storage.append(
            to: key,
            base: info,
            bytes: Array("theirs too\n".utf8),
            contentType: "text/plain"
        )
        add(bot, lines(2..<3), to: 3)
        _ = bot.flush(now: noon)
        _ = try await place.storer().store(bot, now: noon)
        #expect(try await place.stored("a") == ["theirs", "line 0", "line 1", "theirs too", "line 2"])
    }

    /// Whatever call fails, before or after it took effect: nothing is overwritten, lost or doubled.
    @Test(arguments: [FaultyStorage.Fault.before, .after], [0, 1, 2])
    func f21AnObjectThatCannotBeReadIsNotEmpty(_ fault: FaultyStorage.Fault, _ which: Int) async throws {
        let key = LogDay(of: noon).key(of: "a")
        try await place.storage.put(key, bytes: Array("theirs\n".utf8), contentType: "text/plain")
        let bot = try place.spool().bot("a", now: noon)
        add(bot, lines(0..<3), to: 3)
        _ = bot.flush(now: noon)
        let name = ["info", "append", "read"][which]
        if name == "read" {
            // Reading happens where an answer was lost before.
            place.storage.fail { number, _ in number == 1 ? .after : nil }
            await #expect(throws: LogsError.self) { try await place.storer().store(bot, now: noon) }
        }
        place.storage.fail { _, call in call == name ? fault : nil }
        for _ in 0..<3 {
            do { _ = try await place.storer().store(bot, now: noon) } catch {
                #expect((error as LogsError).code == .storage)
            }
            #expect(try await place.stored("a").first == "theirs")
        }
        // More comes meanwhile.
        add(bot, lines(3..<5), to: 5)
        _ = bot.flush(now: noon)
        place.storage.fail { _, _ in nil }
        while try await place.storer().store(bot, now: noon) != nil {}
        #expect(try await place.stored("a") == ["theirs"] + (0..<5).map { "line \($0)" })
    }

    @Test func whereARunBeginsInTheObjectIsKnown() async throws {
        let bot = try place.spool().bot("a", now: noon)
        for (number, reference) in ["one", "two"].enumerated() {
            _ = try bot.begin(run(reference, made: number))
            add(bot, lines(0..<3, reference), to: 3, of: reference)
            _ = bot.flush(now: noon)
        }
        _ = try await place.storer().store(bot, now: noon)
        let runs = try bot.withDisk { disk throws(LogsError) in disk.state.runs }
        let key = LogDay(of: noon).key(of: "a")
        let bytes = try await place.storage.getBytes(key, limit: 10_000)
        #expect(runs.map(\.start?.offset) == [0, Int64(bytes.count / 2)])
        #expect(messages(Array(bytes[(bytes.count / 2)...])) == (0..<3).map { "two \($0)" })
    }

    /// Batches, deaths and failures at random; in the end the object's lines are those that were written.
    @Test(arguments: 0..<60) func f19EveryLineIsStoredExactlyOnceWhateverDies(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let total = 400
        var spool: Spool? = try place.spool(segments: 2000)
        var written = 0
        // With every other seed midnight lies in the middle, and the lines around it are a little out of order.
        let late = Duration.seconds(43_199) + .milliseconds(800)
        let isLate = seed % 2 == 1
        let times = (0..<total).map { number in
            isLate ? late + .milliseconds(number + Int.random(in: -30...30, using: &random)) : .milliseconds(number)
        }
        func lines(_ range: Range<Int>) -> [OutputText] { range.map { line("line \($0)", at: times[$0]) } }
        func bot() throws -> BotSpool { try #require(try spool?.bot("a", now: noon)) }
        _ = try bot().begin(run("r"))
        for _ in 0..<200 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let end = min(total, written + Int.random(in: 1...9, using: &random))
                add(try bot(), lines(written..<end), to: end)
                written = end
            case 5, 6: _ = try bot().flush(now: noon)
            case 7:
                let at = Int.random(in: 0..<4, using: &random)
                let fault = Bool.random(using: &random) ? FaultyStorage.Fault.before : .after
                place.storage.fail { number, _ in number == at ? fault : nil }
                do { _ = try await place.storer().store(bot(), now: noon) } catch is LogsError {}
            case 8:
                place.storage.fail { _, _ in nil }
                _ = try await place.storer().store(bot(), now: noon)
            default:
                // Dies; sometimes the last write was torn.
                spool = nil
                let folder = place.spoolPath + "/bots/" + Spool.folderName(of: "a")
                let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".seg") }
                let stored = try #require(try StateFile(path: folder + "/state").read())
                if Bool.random(using: &random), stored.intent == nil, let last = names.max() {
                    let size = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + last)).count
                    let least = SpoolSegment.number(of: last) == stored.stored.segment ? stored.stored.offset : 0
                    // A place that the state has is of lines that were made durable before.
                    if stored.runs.allSatisfy({ $0.asOf == 0 }), size > least {
                        truncate(folder + "/" + last, off_t(Int.random(in: least...size, using: &random)))
                    }
                }
                spool = try place.spool(segments: 2000)
                guard case .from(let position) = try bot().begin(run("r")) else { throw LogsError(.damaged, "ended") }
                written = position.flatMap { Int($0.text) } ?? 0
            }
        }
        place.storage.fail { _, _ in nil }
        if written < total { add(try bot(), lines(written..<total), to: total) }
        _ = try bot().flush(now: noon)
        while try await place.storer().store(bot(), now: noon) != nil {}
        let midnight = Duration.seconds(43_200)
        #expect(try await place.stored("a") == (0..<total).filter { times[$0] < midnight }.map { "line \($0)" })
        let next = try await place.stored("a", day: LogDay(number: LogDay(of: noon).number + 1))
        #expect(next == (0..<total).filter { times[$0] >= midnight }.map { "line \($0)" })
        #expect(next.isEmpty != isLate)
    }
}
