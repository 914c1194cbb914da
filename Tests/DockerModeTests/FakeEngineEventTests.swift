import HTTP
import Logging
import Model
import Runtime
import Testing
import Util

@testable import DockerMode

/// The event stream of engines that go away, fall silent or write nonsense; fakes, all of them.
@Suite struct FakeEngineEventTests {
    private static func event(_ id: String, kind: String? = "bot", instance: String? = "test", time: Int64 = 1)
        -> String
    {
        let labels = [("runtime.kind", kind), ("runtime.instance", instance)].compactMap { name, value in
            value.map { #","\#(name)":"\#($0)""# }
        }
        return
            #"{"Action":"die","timeNano":\#(time),"Actor":{"Attributes":{"runtime.id":"\#(id)"\#(labels.joined())}}}"#
            + "\n"
    }

    /// Watches until so many wake-ups have come.
    private func wakes(
        _ count: Int,
        heartbeat: Duration = .seconds(60),
        instance: String = "test",
        _ handler: @escaping @Sendable (FakeRequest, Int) -> FakeAnswer
    ) async throws -> (wakes: [BotID?], requests: [FakeRequest]) {
        let engine = try FakeEngine { request, number in
            request.path == "/info" ? .ok(#"{"SystemTime":"2026-01-01T00:00:00.5Z"}"#) : handler(request, number)
        }
        defer { engine.stop() }
        let (stream, continuation) = AsyncStream<BotID?>.makeStream()
        let logger = Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() }
        let watch = EventWatch(
            engine: Engine(connection: DockerConnection(unixSocket: engine.path), client: HTTPClient(), logger: logger),
            kind: .live,
            instance: instance,
            logger: logger,
            backoff: try Backoff(initial: .milliseconds(1), maximum: .milliseconds(1)),
            heartbeat: heartbeat,
            wake: { continuation.yield($0) }
        )
        let wakes = await withTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run() }
            var wakes: [BotID?] = []
            for await wake in stream {
                wakes.append(wake)
                if wakes.count == count { break }
            }
            group.cancelAll()
            return wakes
        }
        return (wakes, engine.requests)
    }

    @Test func eachConnectionWakesEverythingAndEachEventItsBot() async throws {
        let pieces = [
            Self.event("a"), String(Self.event("b").prefix(20)),
            String(Self.event("b").dropFirst(20)) + Self.event("c"),
        ]
        let result = try await wakes(4) { _, _ in .stream(pieces, closes: false) }
        #expect(result.wakes == [nil, "a", "b", "c"])
        let query = try #require(result.requests.first { $0.path == "/events" }?.query)
        // The engine's own time, not ours.
        #expect(query.hasPrefix("since=1767225600.500000000&"))
    }

    @Test func onlyBotsOfTheKindAndInstanceAreWoken() async throws {
        let events = [
            Self.event("run", kind: "schedule"), Self.event("foreign", instance: "other"),
            Self.event("legacy", kind: nil, instance: nil),
            Self.event("mine"),
        ]
        #expect(try await wakes(2) { _, _ in .stream(events, closes: false) }.wakes == [nil, "mine"])
        #expect(
            try await wakes(2, instance: "default") { _, _ in .stream(events, closes: false) }.wakes == [nil, "legacy"]
        )
    }

    @Test func afterAGapEventsAreAskedForSinceTheLastOne() async throws {
        let result = try await wakes(3) { _, number in
            number == 1
                ? .stream([Self.event("a", time: 1_800_000_000_000_000_042)], closes: true) : .stream([], closes: false)
        }
        #expect(result.wakes == [nil, "a", nil])
        let queries = result.requests.filter { $0.path == "/events" }.map(\.query)
        #expect(queries.last?.hasPrefix("since=1800000000.000000042&") == true)
    }

    @Test(arguments: [
        FakeAnswer.json(500, "{}"), .raw("nonsense\r\n\r\n"), .closes, .json(200, "<html>\n"),
    ])
    func brokenStreamsAreConnectedAgainForEver(_ broken: FakeAnswer) async throws {
        let result = try await wakes(6) { _, number in
            number % 2 == 1 ? broken : .stream([Self.event("a")], closes: true)
        }
        #expect(result.wakes.contains("a"))
        #expect(result.requests.filter { $0.path == "/events" }.count >= 3)
    }

    @Test(arguments: [
        "garbage\n", "{}\n", "[]\n", #"{"timeNano":"x","Actor":{"Attributes":{"runtime.id":"a"}}}"# + "\n",
    ])
    func anUnreadableEventWakesEverything(_ line: String) async throws {
        let result = try await wakes(3) { _, _ in .stream([line, Self.event("after")], closes: false) }
        #expect(result.wakes == [nil, nil, "after"])
    }

    @Test func aSilentStreamOfAnEngineThatIsGoneIsGivenUp() async throws {
        let result = try await wakes(2, heartbeat: .milliseconds(20)) { request, number in
            request.path == "/_ping" ? .closes : .stream([], closes: false)
        }
        #expect(result.wakes == [nil, nil])
        #expect(result.requests.contains { $0.path == "/_ping" })
    }

    @Test func aStreamThatNeverBeginsIsGivenUp() async throws {
        let result = try await wakes(1, heartbeat: .milliseconds(20)) { request, number in
            if request.path == "/_ping" { return .ok("OK") }
            return number == 1 ? .hang : .stream([], closes: false)
        }
        #expect(result.wakes == [nil])
        #expect(result.requests.filter { $0.path == "/events" }.count == 2)
    }
}
