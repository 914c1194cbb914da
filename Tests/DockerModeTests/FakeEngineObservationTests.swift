import Model
import Runtime
import Testing
import Util

@testable import DockerMode

/// What a sick engine leads to. The engines here are fakes that play one symptom each.
@Suite struct FakeEngineObservationTests {
    @Test(arguments: [
        FakeAnswer.json(500, #"{"message":"server error"}"#), .json(200, "garbage"),
        .json(200, #"[{"Id":"a","State":"runn"#),
        .json(200, "{}"), .raw("not http at all\r\n\r\n"), .closes, .json(404, ""), .json(204, ""),
        .raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[]"),
        .stream(["[{\"Id\":\"a\",", "\"State\":\"ru"], closes: true),
    ])
    func f60AnUnreadableEngineIsAnErrorAndNeverAnEmptyList(_ answer: FakeAnswer) async throws {
        try await withFakeEngine({ _, _ in answer }) { _, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .live) }
            #expect(error?.code == .unavailable)
            #expect(error?.isRetryable == true)
            #expect(error?.message.contains("/containers/json") == true, "\(error?.message ?? "")")
        }
    }

    @Test func f60AnEngineThatIsNotThereIsUnavailable() async throws {
        let runner = fakeRunner("/tmp/the0-no-such-socket")
        for _ in 0..<2 {
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .live) }
            #expect(error?.code == .unavailable)
        }
        await #expect(throws: RunnerError.self) { try await runner.ping() }
    }

    @Test func f60AnEndedContainerThatCannotBeLookedAtMakesTheWholeListUnknown() async throws {
        let list = #"""
            [{"Id":"a","State":"exited","Created":1,"Labels":{"runtime.managed":"true","runtime.id":"x","runtime.kind":"bot",
            "runtime.instance":"test"}}]
            """#
        let details = FakeAnswer.json(500, #"{"message":"disk on fire"}"#)
        try await withFakeEngine({ request, _ in request.path == "/containers/json" ? .ok(list) : details }) {
            _,
            runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .live) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("disk on fire") == true)
        }
        let gone = FakeAnswer.json(404, #"{"message":"gone"}"#)
        try await withFakeEngine({ request, _ in request.path == "/containers/json" ? .ok(list) : gone }) { _, runner in
            let runs = try await runner.runs(of: .live)
            #expect(runs.isEmpty)
        }
    }

    @Test func onlyOwnContainersOfTheKindAreRuns() async throws {
        func container(_ id: String, _ state: String, _ labels: String) -> String {
            #"{"Id":"\#(id)","State":"\#(state)","Created":5,"Labels":{"runtime.managed":"true"\#(labels)}}"#
        }
        let own = #","runtime.id":"b","runtime.instance":"test","runtime.hash":"h","runtime.attempt":"2""#
        let list = [
            container("1", "running", own + #","runtime.kind":"bot""#),
            container("2", "paused", own + #","runtime.kind":"bot""#),
            container("3", "created", own + #","runtime.kind":"bot""#),
            container("4", "removing", own + #","runtime.kind":"bot""#),
            container("5", "a word of tomorrow", own + #","runtime.kind":"bot""#),
            container("6", "running", own + #","runtime.kind":"schedule""#),
            container("7", "running", own + #","runtime.kind":"query""#),
            container("8", "running", #","runtime.id":"b","runtime.instance":"other","runtime.kind":"bot""#),
            container("9", "running", #","runtime.id":"legacy""#),
            container("10", "running", ""),
        ]
        let text = "[" + list.joined(separator: ",") + "]"
        try await withFakeEngine({ _, _ in .ok(text) }) { engine, runner in
            let runs = try await runner.runs(of: .live)
            let since = Timestamp(secondsSince1970: 5)
            #expect(runs.map(\.reference) == ["1", "2", "3", "4", "5"])
            #expect(
                runs.map(\.phase) == [
                    .running(since: since), .running(since: since), .created, .leaving, .running(since: since),
                ]
            )
            #expect(runs.allSatisfy { $0.attempt == 2 && $0.origin == .hash("h") && $0.createdAt == since })
            #expect(engine.lines == ["GET /containers/json"])
        }
    }

    @Test func theVersionIsAgreedAgainWhenTheEngineWasReplaced() async throws {
        try await withFakeEngine({ request, number in
            // As engines do that don't know a version any more.
            number == 2 ? .json(400, #"{"message":"client version is too old"}"#) : .ok("[]")
        }) { engine, runner in
            _ = try await runner.runs(of: .live)
            engine.become("1.46")
            _ = try await runner.runs(of: .live)
            #expect(engine.lines.count == 3)
            engine.become("1.20")
            _ = try await runner.runs(of: .live)
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .live) }
            #expect(error?.message.contains("1.20") == true)
        }
    }

    @Test func aHangingEngineHangsNobody() async throws {
        try await withFakeEngine({ _, _ in .hang }) { _, runner in
            let listing = Task { try await runner.runs(of: .live) }
            let removing = Task { try await runner.remove(fakeRun()) }
            listing.cancel()
            removing.cancel()
            for result in [await listing.result.map { _ in () }, await removing.result] {
                guard case .failure(let error) = result else {
                    Issue.record("succeeded")
                    continue
                }
                #expect((error as? RunnerError)?.code == .cancelled)
            }
        }
    }
}
