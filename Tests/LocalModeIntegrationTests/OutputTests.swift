import Foundation
import Model
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import LocalMode

/// Takes batches.
private final class Taker: Sendable {
    private let batches = Mutex<[OutputBatch]>([])
    var all: [OutputBatch] { batches.withLock { $0 } }
    var lines: [String] { all.flatMap(\.lines).map { String(decoding: $0.bytes, as: UTF8.self) } }
    func take(_ batch: OutputBatch) { batches.withLock { $0.append(batch) } }
}

@Suite struct LocalOutputIntegrationTests {
    @Test func everyLineComesOnceInOrderAlsoOfABotThatEndsAtOnce() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = "for i in range(20000): print(i)\nprint('no line end', end='')\n"
            try await runner.start(try local.spec("o", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live, id: "o").first)
            let taker = Taker()
            try await runner.follow(run, after: nil, waiting: true) { taker.take($0) }
            #expect(taker.lines == (0..<20000).map { "\($0)" } + ["no line end"])
            #expect(taker.all.allSatisfy { !$0.hasGap })
            let times = taker.all.flatMap(\.lines).map(\.time)
            #expect(times == times.sorted())
        }
    }

    @Test func aPositionGoesOnExactlyWhereItWas() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program =
                "import sys\nfor i in range(30000):\n    print(i)\n    if i % 10 == 0: print(i, file=sys.stderr)\n"
            try await runner.start(try local.spec("p", program), attempt: 0)
            _ = try await local.exit(runner, "p")
            let run = try #require(try await runner.runs(of: .live, id: "p").first)
            let whole = Taker()
            try await runner.follow(run, after: nil, waiting: false) { whole.take($0) }
            #expect(whole.lines.count == 33000)
            #expect(whole.all.count > 1)
            let other = try await local.runner()
            for (index, batch) in whole.all.enumerated() {
                let rest = Taker()
                try await other.follow(run, after: batch.position, waiting: false) { rest.take($0) }
                #expect(rest.all == Array(whole.all[(index + 1)...]))
            }
        }
    }

    @Test func whatWasTurnedOverIsAGap() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(
                LocalSettings(stopGrace: .seconds(2), logFileSize: 64 << 10, logFileCount: 2)
            )
            let program = "for i in range(100000): print(i)\n"
            try await runner.start(try local.spec("g", program), attempt: 0)
            _ = try await local.exit(runner, "g")
            let run = try #require(try await runner.runs(of: .live, id: "g").first)
            #expect(try local.run("g").generations().count == 2)
            let taker = Taker()
            try await runner.follow(run, after: nil, waiting: true) { taker.take($0) }
            let lines = taker.lines.compactMap { Int($0) }
            let first = try #require(lines.first)
            #expect(first > 0)
            #expect(lines == Array(first..<100000))
            #expect(taker.all.first?.hasGap == true)
            #expect(taker.all.dropFirst().allSatisfy { !$0.hasGap })
            #expect(try await runner.lastLines(of: run, limit: 3).map(\.text) == ["99997", "99998", "99999"])
        }
    }

    @Test func longLinesAreCutWithAMarkAndBinaryOutputSurvives() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = """
                import sys
                out = sys.stdout.buffer
                out.write(bytes(b for b in range(256) if b != 10) + b'\\n')
                out.write(b'x' * (3 << 20) + b'\\n')
                out.write(b'end\\n')
                """
            try await runner.start(try local.spec("l", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live, id: "l").first)
            let taker = Taker()
            try await runner.follow(run, after: nil, waiting: true) { taker.take($0) }
            let lines = taker.all.flatMap(\.lines)
            try #require(lines.count == 3)
            #expect(lines[0].bytes == (0...255).filter { $0 != 10 }.map { UInt8($0) })
            #expect(lines[1].bytes.count == OutputText.longest)
            #expect(lines[1].cut == (3 << 20) - OutputText.longest)
            #expect(lines[2].bytes == Array("end".utf8))
        }
    }

    @Test func followingWaitsForTheBotAndEndsWithIt() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(
                try local.spec("w", "import time\nprint('one', flush=True)\nwhile True: time.sleep(1)\n"),
                attempt: 0
            )
            let run = try #require(try await runner.runs(of: .live, id: "w").first)
            let taker = Taker()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await runner.follow(run, after: nil, waiting: true) { taker.take($0) } }
                try await eventually("the first line") { taker.lines == ["one"] }
                try local.status("w").bot?.send(SIGKILL)
                try await group.waitForAll()
            }
            #expect(taker.lines == ["one"])
        }
    }

    @Test func followingEndsWhenTheSupervisorWasKilled() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("k", sleeper), attempt: 0)
            let run = try #require(try await runner.runs(of: .live, id: "k").first)
            let taker = Taker()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await runner.follow(run, after: nil, waiting: true) { taker.take($0) } }
                try await eventually("the first line") { taker.lines == ["up"] }
                try local.status("k").supervisor.send(SIGKILL)
                try await group.waitForAll()
            }
        }
    }

    @Test func theLastReadingComesBeforeARunIsRemovedOrReplaced() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let reader = FinalReader(runner)
            runner.readFinally(with: reader)
            let spec = try local.spec("f", "print('last')\n")
            try await runner.start(spec, attempt: 0)
            _ = try await local.exit(runner, "f")
            try await runner.start(spec, attempt: 1)
            #expect(reader.lines.all.count == 1)
            _ = try await local.exit(runner, "f")
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "f").first))
            #expect(reader.lines.lines == ["last", "last"])
        }
    }

    private final class FinalReader: FinalOutputReading {
        let lines = Taker()
        private let runner: LocalRunner

        init(_ runner: LocalRunner) { self.runner = runner }

        func readToEnd(of run: ObservedRun) async {
            do { try await runner.follow(run, after: nil, waiting: false) { self.lines.take($0) } } catch {
                Issue.record(error)
            }
        }
    }
}
