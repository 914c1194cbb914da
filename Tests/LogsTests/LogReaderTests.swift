import Model
import ObjectStorage
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import Logs

@Suite(.timeLimit(.minutes(3))) struct LogReaderTests {
    private let place: Place
    private let follower = FakeFollower()

    init() throws { place = try Place() }

    private final class Collected: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func add(_ line: LogLine) { texts.withLock { $0.append(line.text) } }
    }

    private func reader(spool: Bool = true, engine: Bool = true) -> LogReader {
        LogReader(
            storage: place.storage,
            spoolPath: spool ? place.spoolPath : nil,
            follower: engine ? follower : nil
        )
    }

    private func read(_ reader: LogReader, _ request: LogReader.Request) async throws -> [String] {
        let collected = Collected()
        try await reader.read(request) { collected.add($0) }
        return collected.all
    }

    private func expected(_ range: Range<Int>) -> [String] { range.map { "line \($0)" } }

    /// Lines 0 to 99 are stored, to 199 in the spool, to 299 only with the engine.
    private func spread() async throws -> Spool {
        let spool = try place.spool()
        let bot = try spool.bot("a", now: noon)
        follower.write("r", lines(0..<300))
        follower.list([run("r")])
        _ = try bot.begin(run("r"))
        for end in [100, 200] {
            let batch = OutputBatch(lines: lines((end - 100)..<end), position: OutputPosition(text: String(end)))
            _ = bot.add(batch, of: "r", masking: nil)
            _ = bot.flush(now: noon)
            if end == 100 { _ = try await place.storer().store(bot, now: noon) }
        }
        return spool
    }

    @Test func everyLineComesOnceWhereverItIs() async throws {
        let spool = try await spread()
        #expect(try await read(reader(), .init(id: "a")) == expected(0..<300))
        #expect(try await read(reader(engine: false), .init(id: "a")) == expected(0..<200))
        #expect(try await read(reader(spool: false), .init(id: "a")) == expected(0..<300))
        #expect(try await read(reader(spool: false, engine: false), .init(id: "a")) == expected(0..<100))
        #expect(try await read(reader(), .init(id: "b")) == [])
        #expect(spool.usedBytes > 0)
    }

    @Test(arguments: [0, 1, 5, 100, 101, 150, 200, 201, 250, 299, 300, 1000])
    func theLastLinesAreTakenFromWhereverTheyAre(_ count: Int) async throws {
        let spool = try await spread()
        for reader in [reader(), reader(spool: false)] {
            #expect(try await read(reader, .init(id: "a", tail: count)) == expected(max(0, 300 - count)..<300))
        }
        #expect(spool.usedBytes > 0)
    }

    @Test func linesSinceATime() async throws {
        let spool = try await spread()
        for first in [0, 50, 150, 250, 299] {
            let since = noon.advanced(by: .milliseconds(first))
            #expect(try await read(reader(), .init(id: "a", since: since)) == expected(first..<300))
            #expect(
                try await read(reader(spool: false), .init(id: "a", since: since, tail: 10))
                    == expected(max(first, 290)..<300)
            )
        }
        #expect(spool.usedBytes > 0)
    }

    @Test func anAdditionWhoseAnswerWasLostIsNotReadTwice() async throws {
        let spool = try await spread()
        place.storage.fail { _, call in call == "append" ? .after : nil }
        await #expect(throws: LogsError.self) { try await place.storer().store(spool.bot("a", now: noon), now: noon) }
        #expect(try await place.stored("a").count == 200)
        #expect(try await read(reader(), .init(id: "a")) == expected(0..<300))
        #expect(try await read(reader(), .init(id: "a", tail: 250)) == expected(50..<300))
    }

    /// Another process collects and stores meanwhile.
    @Test func theSeamIsInvisibleWhileLinesAreStored() async throws {
        let collector = try place.collector(follower, place.spool())
        follower.list([run("r")])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await collector.run() }
            collector.observed([run("r")], of: nil)
            for round in 0..<30 {
                follower.write("r", lines((round * 20)..<(round * 20 + 20)))
                let all = try await read(reader(), .init(id: "a"))
                #expect(all == expected(0..<(round * 20 + 20)))
                #expect(try await read(reader(), .init(id: "a", tail: 30)) == all.suffix(30))
            }
            group.cancelAll()
        }
    }

    @Test func thePreviousRunIsReadWhereverItsLinesAre() async throws {
        let spool = try place.spool()
        let bot = try spool.bot("a", now: noon)
        for (number, reference) in ["one", "two", "three"].enumerated() {
            _ = try bot.begin(run(reference, made: number))
            _ = bot.add(
                OutputBatch(lines: lines(0..<5, reference), position: OutputPosition(text: "5")),
                of: reference,
                masking: nil
            )
            _ = bot.flush(now: noon)
            #expect(
                try await read(reader(), .init(id: "a", previous: true))
                    == (number == 0 ? [] : (0..<5).map { "\(["one", "two"][number - 1]) \($0)" })
            )
        }
        _ = try await place.storer().store(bot, now: noon)
        #expect(try await read(reader(), .init(id: "a", previous: true)) == (0..<5).map { "two \($0)" })
        #expect(try await read(reader(), .init(id: "a", tail: 2, previous: true)) == ["two 3", "two 4"])
        let error = await #expect(throws: LogsError.self) {
            try await read(reader(spool: false), .init(id: "a", previous: true))
        }
        #expect(error?.code == .invalidOption)
    }

    @Test func followingGoesOnWithTheNextRun() async throws {
        let spool = try await spread()
        let collected = Collected()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let reader = reader()
            group.addTask { try await reader.read(.init(id: "a", tail: 2, follow: true)) { collected.add($0) } }
            try await eventually(within: .seconds(40)) { collected.all.count == 2 }
            follower.write("r", lines(300..<303), ends: true)
            try await eventually(within: .seconds(40)) { collected.all.count == 5 }
            follower.list([run("r", exited: true), run("next", made: 5)])
            follower.write("next", lines(0..<2, "next"))
            try await eventually(within: .seconds(40)) { collected.all.count == 7 }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result {
                    #expect((error as? LogsError)?.code == .cancelled || error is CancellationError)
                }
            }
        }
        #expect(collected.all == expected(298..<303) + ["next 0", "next 1"])
        #expect(spool.usedBytes > 0)
    }

    @Test func whatTheTakerThrowsEndsTheReading() async throws {
        struct Enough: Error {}
        let spool = try await spread()
        for limit in [50, 150, 250] {
            let collected = Collected()
            await #expect(throws: Enough.self) {
                try await reader().read(.init(id: "a")) { line in
                    guard collected.all.count < limit else { throw Enough() }
                    collected.add(line)
                }
            }
            #expect(collected.all.count == limit)
        }
        #expect(spool.usedBytes > 0)
    }

    @Test func linesOfAllDaysAreRead() async throws {
        for day in ["20270113", "20270114"] {
            try await place.storage.put("logs/a/\(day).log", bytes: Array("\(day)\n".utf8), contentType: "text/plain")
        }
        for other in ["logs/a/b/20270114.log", "logs/a/2027011x.log", "logs/a/20271345.log", "logs/ab/20270114.log"] {
            try await place.storage.put(other, bytes: Array("other\n".utf8), contentType: "text/plain")
        }
        let spool = try await spread()
        #expect(try await read(reader(), .init(id: "a")) == ["20270113", "20270114"] + expected(0..<300))
        #expect(try await read(reader(), .init(id: "a", tail: 301)) == ["20270114"] + expected(0..<300))
        #expect(spool.usedBytes > 0)
    }
}
