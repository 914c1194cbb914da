import Dispatch
import Model
import Runtime
import Testing

@testable import DockerMode

/// Starts and removals on engines that fail in the middle. The engines here are fakes that play one symptom each.
@Suite struct FakeEngineChangeTests {
    /// A fake that has image and network and makes containers; a test answers differently where it wants to.
    private static func willing(_ request: FakeRequest) -> FakeAnswer {
        switch request.line {
        case "POST /containers/create": .json(201, #"{"Id":"c1"}"#)
        case "POST /volumes/create": .json(201, #"{"Name":"v"}"#)
        case "GET /networks": .ok(#"[{"Name":"the0-test","Id":"n1","Created":"2026"}]"#)
        case "GET /info": .ok(#"{"SystemTime":"2026-01-01T00:10:00Z"}"#)
        default:
            if request.path.hasPrefix("/images/") {
                .ok(#"{"Id":"sha256:1"}"#)
            } else if request.method == "PUT" {
                .ok()
            } else {
                .none
            }
        }
    }

    private static func standing(_ status: String, hash: String = "other", created: String = "2026-01-01T00:00:00Z")
        -> FakeAnswer
    {
        .ok(
            #"""
            {"Id":"old","Created":"\#(created)","State":{"Status":"\#(status)","Running":\#(status == "running"),"ExitCode":0},
            "Config":{"Labels":{"runtime.managed":"true","runtime.hash":"\#(hash)"}}}
            """#
        )
    }

    private static let taken = FakeAnswer.json(409, #"{"message":"name in use"}"#)

    @Test func f14WhereverAStartFailsItsContainerIsRemovedWithItsVolumes() async throws {
        for (line, code) in [
            ("PUT /containers/c1/archive", RunnerError.Code.failedToStart),
            ("POST /containers/c1/start", .failedToStart),
        ] {
            try await withFakeEngine({ request, _ in
                request.line == line ? .json(500, #"{"message":"no space left"}"#) : Self.willing(request)
            }) { engine, runner in
                let error = await #expect(throws: RunnerError.self) {
                    try await runner.start(try fakeSpec(), attempt: 0)
                }
                #expect(error?.code == code)
                #expect(error?.message.contains("no space left") == true)
                #expect(engine.requests.last?.line == "DELETE /containers/c1")
                #expect(engine.requests.last?.query == "v=1&force=1")
            }
        }
    }

    @Test func f14AStartThatIsCancelledWhileTheEngineWorksRemovesItsContainer() async throws {
        var impatient = DockerSettings(stopGrace: .zero)
        impatient.startGrace = .zero
        for line in ["PUT /containers/c1/archive", "POST /containers/c1/start"] {
            let reached = AsyncStream<Void>.makeStream()
            try await withFakeEngine(
                { request, _ in
                    guard request.line == line else { return Self.willing(request) }
                    reached.continuation.yield()
                    return .hang
                },
                settings: impatient
            ) { engine, runner in
                let spec = try fakeSpec()
                let start = Task { try await runner.start(spec, attempt: 0) }
                for await _ in reached.stream { break }
                start.cancel()
                let result = await start.result
                #expect(throws: (any Error).self) { try result.get() }
                #expect(engine.lines.last == "DELETE /containers/c1")
            }
        }
    }

    @Test func f14AStartThatTheEngineMadeIsKeptAlthoughItWasCancelledMeanwhile() async throws {
        let reached = AsyncStream<Void>.makeStream()
        let cancelled = DispatchSemaphore(value: 0)
        try await withFakeEngine({ request, _ in
            if request.line == "POST /containers/c1/start" {
                reached.continuation.yield()
                cancelled.wait()
            }
            return Self.willing(request)
        }) { engine, runner in
            let spec = try fakeSpec()
            let start = Task { try await runner.start(spec, attempt: 0) }
            for await _ in reached.stream { break }
            start.cancel()
            cancelled.signal()
            try await start.value
            #expect(engine.lines.last == "POST /containers/c1/start")
        }
    }

    @Test func preparingMakesImageAndNetworkSureAndNoContainer() async throws {
        try await withFakeEngine({ request, _ in Self.willing(request) }) { engine, runner in
            try await runner.prepare(try fakeSpec())
            #expect(engine.lines.contains { $0.hasPrefix("GET /images/python") })
            #expect(engine.lines.contains { $0.hasPrefix("GET /images/the0-runtime/") })
            #expect(engine.lines.last == "GET /networks")
            #expect(engine.requests.allSatisfy { $0.method == "GET" })
        }
    }

    @Test func startingWhatRunsFromTheSameSpecificationIsASuccess() async throws {
        let spec = try fakeSpec()
        try await withFakeEngine({ request, _ in
            if request.line == "POST /containers/create" { return Self.taken }
            return request.path.hasPrefix("/containers/the0-bot-")
                ? Self.standing("running", hash: spec.hash) : Self.willing(request)
        }) { engine, runner in
            try await runner.start(spec, attempt: 0)
            #expect(!engine.lines.contains { $0.hasPrefix("DELETE") || $0.hasSuffix("/start") })
        }
    }

    @Test(arguments: ["exited", "dead", "created"])
    func whatIsLeftUnderTheNameIsRemovedOnce(_ status: String) async throws {
        try await withFakeEngine({ request, number in
            if request.line == "POST /containers/create", number == 1 { return Self.taken }
            let isStanding = request.path.hasPrefix("/containers/the0-bot-")
            return isStanding ? Self.standing(status, created: "2026-01-01T00:09:45Z") : Self.willing(request)
        }) { engine, runner in
            try await runner.start(try fakeSpec(), attempt: 0)
            #expect(engine.lines.filter { $0 == "DELETE /containers/old" }.count == 1)
            // Without force: it may have been started in this moment.
            #expect(engine.requests.first { $0.line == "DELETE /containers/old" }?.query == "v=1")
            #expect(engine.lines.last == "POST /containers/c1/start")
        }
    }

    @Test(arguments: [
        ("running", "2026-01-01T00:00:00Z"), ("removing", "2026-01-01T00:00:00Z"),
        // Another runner may be about to start it.
        ("created", "2026-01-01T00:09:46Z"),
    ])
    func whatStandsUnderTheNameForAReasonIsAConflict(_ status: String, _ created: String) async throws {
        try await withFakeEngine({ request, _ in
            if request.line == "POST /containers/create" { return Self.taken }
            let isStanding = request.path.hasPrefix("/containers/the0-bot-")
            return isStanding ? Self.standing(status, created: created) : Self.willing(request)
        }) { engine, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.start(try fakeSpec(), attempt: 0) }
            #expect(error?.code == .conflict)
            #expect(error?.isRetryable == true)
            #expect(!engine.lines.contains { $0.hasPrefix("DELETE") })
        }
    }

    @Test func f15AnImageIsPulledOnceHoweverManyBotsWaitForIt() async throws {
        let pulls = Counter()
        try await withFakeEngine({ request, _ in
            if request.line == "POST /images/create" {
                pulls.add()
                return .stream([#"{"status":"done"}"# + "\n"], closes: true)
            }
            if request.path == "/images/python%3A3.11-slim/json", pulls.value == 0 { return .json(404, "") }
            return Self.willing(request)
        }) { engine, runner in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask { try await runner.start(try fakeSpec(BotID("b\(number)")), attempt: 0) }
                }
                try await group.waitForAll()
            }
            #expect(engine.lines.filter { $0 == "POST /images/create" }.count == 1)
            #expect(
                engine.requests.first { $0.line == "POST /images/create" }?.query == "fromImage=python&tag=3.11-slim"
            )
        }
    }

    @Test func aPullThatFailsInItsStreamIsAnErrorWithTheRegistrysWords() async throws {
        try await withFakeEngine({ request, _ in
            if request.line == "POST /images/create" {
                return .stream([#"{"errorDetail":{"message":"manifest unknown"}}"# + "\n"], closes: true)
            }
            return request.path.hasPrefix("/images/python") ? .json(404, "") : Self.willing(request)
        }) { _, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.start(try fakeSpec(), attempt: 0) }
            #expect(error?.code == .image)
            #expect(error?.message.contains("manifest unknown") == true)
        }
    }

    @Test func aPreparedImageThatSomebodyRemovedIsMadeAnew() async throws {
        try await withFakeEngine({ request, number in
            if request.line == "POST /containers/create", number == 2 {
                return .json(404, #"{"message":"no such image"}"#)
            }
            return Self.willing(request)
        }) { engine, runner in
            try await runner.start(try fakeSpec("first"), attempt: 0)
            try await runner.start(try fakeSpec("second"), attempt: 0)
            let looked = engine.lines.filter { $0.hasPrefix("GET /images/the0-runtime/python3.11") }
            // Once for the first start, once because it was gone; a start in between would have known it.
            #expect(looked.count == 2)
            #expect(engine.lines.last == "POST /containers/c1/start")
        }
    }

    @Test func f13AContainerThatTheEngineCannotStopIsNotTakenForGone() async throws {
        let failure = FakeAnswer.json(500, #"{"message":"tried to kill container, but did not receive an exit event"}"#)
        try await withFakeEngine({ _, _ in failure }) { engine, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.remove(fakeRun("c9")) }
            #expect(error?.code == .notStopped)
            #expect(error?.isRetryable == true)
            #expect(error?.message.contains("c9") == true)
            #expect(engine.lines == ["POST /containers/c9/stop", "POST /containers/c9/kill"])
        }
    }

    @Test func f13ARemovalIsOverOnlyWhenTheEngineSaysSo() async throws {
        try await withFakeEngine({ request, number in
            switch request.line {
            case "DELETE /containers/c9":
                number < 4 ? .json(409, #"{"message":"removal in progress"}"#) : .json(404, "")
            case "GET /containers/c9/json": Self.standing("removing")
            default: .none
            }
        }) { engine, runner in
            try await runner.remove(fakeRun("c9"))
            #expect(engine.lines.filter { $0 == "DELETE /containers/c9" }.count == 4)
        }
    }

    @Test func f07TheEngineIsAskedForTheGraceAndGivenMoreTimeThanThat() async throws {
        let settings = DockerSettings(stopGrace: .milliseconds(2500))
        try await withFakeEngine({ _, _ in .none }, settings: settings) { engine, runner in
            try await runner.remove(fakeRun("c9"))
            #expect(engine.requests.first?.query == "t=3")
        }
    }

    @Test func aRunThatIsGoneOrEndedIsRemovedWithoutStoppingIt() async throws {
        try await withFakeEngine({ _, _ in .json(404, "") }) { engine, runner in
            try await runner.remove(fakeRun("c9"))
            let time = fakeRun().createdAt
            try await runner.remove(fakeRun("c8", .exited(Exit(code: 0, startedAt: time, finishedAt: time))))
            #expect(engine.lines == ["POST /containers/c9/stop", "DELETE /containers/c9", "DELETE /containers/c8"])
        }
    }

    @Test func f38NoErrorShowsTheBotsConfig() async throws {
        try await withFakeEngine({ request, _ in
            request.line == "POST /containers/create" ? .json(400, #"{"message":"invalid"}"#) : Self.willing(request)
        }) { engine, runner in
            let spec = try fakeSpec(config: ["apiKey": "s3cret"])
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .refused)
            #expect(error.map { "\($0) \($0.cause.map { "\($0)" } ?? "")".contains("s3cret") } == false)
            // It did reach the engine.
            let create = try #require(engine.requests.first { $0.line == "POST /containers/create" })
            #expect(String(decoding: create.body, as: UTF8.self).contains("s3cret"))
        }
    }
}
