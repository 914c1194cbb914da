import HTTP
import Logging
import Model
import Runtime
import Synchronization
import Testing
import Util

@testable import DockerMode

/// Logs that are followed while engines break off, go away or are slow to be read from; fakes, all of them.
@Suite struct FakeEngineFollowTests {
    private static let log = RecordedLog(
        frames: (0..<40).map { RecordedFrame($0 % 3 == 0 ? .stderr : .stdout, at: 1000 + Double($0), "line \($0)\n") }
    )

    private static func details(_ status: String) -> FakeAnswer {
        let running = status == "running"
        return .ok(
            #"{"Id":"abc","Created":"2026-01-01T00:00:00Z","State":{"Status":"\#(status)","Running":\#(running),"#
                + #""ExitCode":0},"Config":{"Labels":{}}}"#
        )
    }

    private static func since(_ request: FakeRequest) -> Int64? {
        request.query.split(separator: "&").first { $0.hasPrefix("since=") }.flatMap { Int64($0.dropFirst(6)) }
    }

    private static func isFollow(_ request: FakeRequest) -> Bool { request.query.contains("follow=1") }

    /// Collects what is delivered.
    private final class Collector: Sendable {
        private let reading = Mutex(Reading())
        var lines: [OutputText] { reading.withLock { $0.lines } }
        var gaps: Int { reading.withLock { $0.gaps } }
        var last: OutputPosition? {
            reading.withLock { $0.positions.last.map { OutputPosition(text: $0.position.text) } }
        }
        func take(_ batch: OutputBatch) { reading.withLock { $0.take(batch) } }
    }

    @Test(.timeLimit(.minutes(1)))
    func f19AStreamThatBreaksAnywhereIsReadOnWithoutLossOrDoubling() async throws {
        let log = Self.log
        let whole = log.bytes(since: nil)
        // Each connection of a following ends some bytes later than the one before, in the middle of a frame as often as not.
        let ends = Tally()
        let engine = try FakeEngine { request, number in
            guard request.path.hasSuffix("/logs") else {
                return Self.details(ends.value > 0 ? "exited" : "running")
            }
            let bytes = log.bytes(since: Self.since(request))
            guard Self.isFollow(request) else { return .bytes([bytes], closes: true) }
            let length = bytes.count - whole.count + number * 97
            if length >= bytes.count { ends.add(1) }
            let piece = Array(bytes.prefix(max(0, length)))
            return .bytes(piece.isEmpty ? [nil] : [piece, nil], closes: false)
        }
        defer { engine.stop() }
        let collector = Collector()
        var following = try following(engine)
        try await following.run(waiting: true) { collector.take($0) }
        #expect(collector.lines == log.lines())
        #expect(collector.gaps == 0)
        #expect(engine.requests.count { Self.isFollow($0) } > 10)
    }

    private func following(_ engine: FakeEngine, place: LogPosition? = nil) throws -> LogFollowing {
        let logger = Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() }
        var following = LogFollowing(
            engine: Engine(connection: DockerConnection(unixSocket: engine.path), client: HTTPClient(), logger: logger),
            container: "abc",
            logger: logger,
            place: place
        )
        following.backoff = try Backoff(initial: .milliseconds(1), maximum: .milliseconds(1))
        return following
    }

    @Test(arguments: 0..<12)
    func f19PartsOfALineThatAFollowedEngineGivesTwiceAreTakenOnce(_ back: Int) async throws {
        let parts = (0..<10).map { _ in RecordedFrame(.stdout, at: 1000, "xxxx") }
        let log = RecordedLog(
            frames: [RecordedFrame(.stdout, at: 999, "before\n")] + parts
                + [RecordedFrame(.stdout, at: 1000, "x\n"), RecordedFrame(.stdout, at: 1001, "after\n")]
        )
        let follows = Tally()
        let engine = try FakeEngine { request, _ in
            guard request.path.hasSuffix("/logs") else { return Self.details(follows.value > 3 ? "exited" : "running") }
            // What there is by now, and when it is followed, some of it once more and what is new.
            let frames = log.frames(since: Self.since(request))
            let there = frames.prefix(3 + 3 * follows.value)
            guard Self.isFollow(request) else { return .bytes([there.flatMap(\.bytes)], closes: true) }
            follows.add(1)
            let new = frames.dropFirst(there.count).prefix(3)
            return .bytes([(there + there.suffix(back) + new).flatMap(\.bytes)], closes: true)
        }
        defer { engine.stop() }
        let collector = Collector()
        var following = try following(engine)
        try await following.run(waiting: true) { collector.take($0) }
        #expect(collector.lines == log.lines())
        #expect(collector.gaps == 0)
    }

    @Test func f20LinesThatAFollowMissedAtTheEndAreReadOnceMore() async throws {
        let log = Self.log
        try await withFakeEngine { request, _ in
            guard request.path.hasSuffix("/logs") else { return Self.details("exited") }
            let frames = log.frames(since: Self.since(request))
            let given = Self.isFollow(request) ? Array(frames.prefix(10)) : frames
            return .bytes([given.flatMap(\.bytes)], closes: true)
        } _: { _, runner in
            let collector = Collector()
            try await runner.follow(fakeRun(), after: nil, waiting: true) { collector.take($0) }
            #expect(collector.lines == log.lines())
            try await runner.follow(fakeRun(), after: collector.last, waiting: true) { collector.take($0) }
            #expect(collector.lines.count == log.frames.count)
        }
    }

    @Test func f19ALineIsNotDeliveredBeforeItsEndWhileTheRunGoesOn() async throws {
        let bytes = Self.log.bytes(since: nil) + RecordedFrame(.stdout, at: 2000, "begun").bytes
        try await withFakeEngine { request, _ in
            request.path.hasSuffix("/logs") ? .bytes([bytes], closes: true) : Self.details("running")
        } _: { engine, runner in
            let collector = Collector()
            try await runner.follow(fakeRun(), after: nil, waiting: false) { collector.take($0) }
            #expect(collector.lines == Self.log.lines())
            #expect(!engine.requests.contains { Self.isFollow($0) })
        }
    }

    @Test func f19ATurnedOverLogIsAGapWhateverIsLeftOfIt() async throws {
        let log = Self.log
        let rest = RecordedLog(frames: Array(log.frames[20...]))
        try await withFakeEngine { request, _ in
            guard request.path.hasSuffix("/logs") else { return Self.details("exited") }
            return .bytes([rest.bytes(since: Self.since(request))], closes: true)
        } _: { _, runner in
            var reader = LogReader(after: nil)
            _ = try reader.add(log.frames[..<10].flatMap(\.bytes))
            let place = try #require(reader.place)
            let collector = Collector()
            try await runner.follow(fakeRun(), after: OutputPosition(text: place.text), waiting: true) {
                collector.take($0)
            }
            #expect(collector.lines == rest.lines())
            #expect(collector.gaps == 1)
        }
    }

    @Test func f19AClockThatWasSetBackHidesNoLines() async throws {
        var log = Self.log
        let logged = log.lines().count
        var reader = LogReader(after: nil)
        _ = try reader.add(log.bytes(since: nil))
        let place = try #require(reader.place)
        log.frames.append(RecordedFrame(.stdout, at: 500, "after\n"))
        let all = log
        try await withFakeEngine { request, _ in
            guard request.path.hasSuffix("/logs") else { return Self.details("exited") }
            let body = all.bytes(since: Self.since(request))
            return .dated("Thu, 01 Jan 1970 00:08:21 GMT", body)
        } _: { _, runner in
            let collector = Collector()
            try await runner.follow(fakeRun(), after: OutputPosition(text: place.text), waiting: false) {
                collector.take($0)
            }
            #expect(collector.lines == Array(all.lines()[logged...]))
            #expect(collector.gaps == 0)
        }
    }

    @Test func f19NothingMoreIsReadWhileABatchIsBeingTaken() async throws {
        let line = RecordedFrame(.stdout, at: 1000, String(repeating: "x", count: 1000) + "\n").bytes
        let pieces = [[UInt8]](repeating: (0..<16).flatMap { _ in line }, count: 1000)
        let count = pieces.count * 16
        let engine = try FakeEngine { request, _ in
            request.path.hasSuffix("/logs") ? .bytes(pieces, closes: true) : Self.details("exited")
        }
        defer { engine.stop() }
        let runner = fakeRunner(engine.path)
        let (lines, most) = (Tally(), Tally())
        try await runner.follow(fakeRun(), after: nil, waiting: false) { batch in
            if lines.value == 0 {
                // Until the engine can't send any more, or has sent it all.
                while engine.stalls.withLock({ $0 }) == 0, engine.sent.withLock({ $0 }) < count * line.count {
                    await Task.yield()
                }
                most.add(engine.sent.withLock { $0 })
            }
            lines.add(batch.lines.count)
        }
        #expect(lines.value == count)
        #expect(most.value < 2 << 20)
    }

    @Test func f19CancellingEndsAFollowingAtOnce() async throws {
        let bytes = Self.log.bytes(since: nil)
        try await withFakeEngine { request, _ in
            request.path.hasSuffix("/logs") ? .bytes([bytes], closes: false) : Self.details("running")
        } _: { _, runner in
            let (delivered, signal) = AsyncStream<Void>.makeStream()
            let following = Task {
                try await runner.follow(fakeRun(), after: nil, waiting: true) { _ in signal.yield() }
            }
            for await _ in delivered { break }
            following.cancel()
            let error = await #expect(throws: RunnerError.self) { try await following.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func f19WhatTakesTheLinesMayFail() async throws {
        struct Full: Error {}
        let bytes = Self.log.bytes(since: nil)
        try await withFakeEngine { request, _ in
            request.path.hasSuffix("/logs") ? .bytes([bytes], closes: false) : Self.details("running")
        } _: { engine, runner in
            let error = await #expect(throws: RunnerError.self) {
                try await runner.follow(fakeRun(), after: nil, waiting: true) { _ in throw Full() }
            }
            #expect(error?.cause is Full)
            #expect(error?.isRetryable == true)
            #expect(engine.requests.count == 1)
        }
    }

    @Test(arguments: [
        (404, RunnerError.Code.gone), (409, .gone), (501, .refused), (400, .refused), (500, .unavailable),
    ])
    func f19WhyALogCannotBeReadIsTold(_ status: Int, _ code: RunnerError.Code) async throws {
        try await withFakeEngine { request, _ in
            request.path.hasSuffix("/logs") ? .json(status, #"{"message":"no"}"#) : Self.details("running")
        } _: { _, runner in
            let error = await #expect(throws: RunnerError.self) {
                try await runner.follow(fakeRun(), after: nil, waiting: false) { _ in }
            }
            #expect(error?.code == code)
        }
        try await withFakeEngine { _, _ in
            .json(404, "{}")
        } _: { engine, runner in
            let error = await #expect(throws: RunnerError.self) {
                try await runner.follow(fakeRun(), after: OutputPosition(text: "nonsense"), waiting: true) { _ in }
            }
            #expect(error?.code == .refused)
            #expect(engine.requests.isEmpty)
        }
    }

    @Test func f20TheFinalReaderIsCalledBetweenStopAndRemoval() async throws {
        struct Reader: FinalOutputReading {
            let engine: FakeEngine
            let seen: Seen
            func readToEnd(of run: ObservedRun) async { seen.set(engine.lines + [run.reference]) }
        }
        try await withFakeEngine { request, _ in
            request.method == "DELETE" || request.path.hasSuffix("/stop") ? .none : Self.details("exited")
        } _: { engine, runner in
            let seen = Seen()
            runner.readFinally(with: Reader(engine: engine, seen: seen))
            try await runner.remove(fakeRun())
            #expect(seen.lines == ["POST /containers/abc/stop", "abc"])
            #expect(engine.lines == ["POST /containers/abc/stop", "DELETE /containers/abc"])
        }
    }

    @Test func f20AFinalReaderThatNeverReturnsIsNotWaitedForForEver() async throws {
        struct Sleeper: FinalOutputReading {
            func readToEnd(of run: ObservedRun) async { try? await Task.sleep(for: .seconds(3600)) }
        }
        let reading = FinalReading(patience: .zero, logger: Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() })
        reading.set(Sleeper())
        await reading.read(fakeRun())
    }
}

/// A number that several may add to.
private final class Tally: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add(_ count: Int) { number.withLock { $0 += count } }
}

/// What was seen of an engine's requests.
private final class Seen: Sendable {
    private let all = Mutex<[String]>([])
    var lines: [String] { all.withLock { $0 } }
    func set(_ lines: [String]) { all.withLock { $0 = lines } }
}
