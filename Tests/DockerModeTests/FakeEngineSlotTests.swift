import Model
import Runtime
import Synchronization
import Testing

@testable import DockerMode

/// What becomes of a slot whose start goes wrong: it may be run by the next start only if it never ran.
@Suite struct FakeEngineSlotTests {
    /// A fake that has image and network and makes containers.
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

    private static let taken = FakeAnswer.json(409, #"{"message":"name in use"}"#)

    private static func standing(
        _ status: String,
        hash: String = "other",
        created: String = "2026-01-01T00:00:00Z",
        started: String = "0001-01-01T00:00:00Z"
    ) -> FakeAnswer {
        .ok(
            #"""
            {"Id":"old","Created":"\#(created)",
            "State":{"Status":"\#(status)","Running":\#(status == "running"),"ExitCode":0,"StartedAt":"\#(started)"},
            "Config":{"Labels":{"runtime.managed":"true","runtime.hash":"\#(hash)"}}}
            """#
        )
    }

    @Test func aRunIsLabelledWithItsSlotAndALiveBotWithNone() throws {
        func labels(_ spec: LaunchSpec) -> [String: String] {
            Dictionary(uniqueKeysWithValues: spec.labels(instance: "i", attempt: 0))
        }
        #expect(labels(try fakeSlotSpec(60))["runtime.slot"] == "60")
        #expect(labels(try fakeSlotSpec(Slot(60, trigger: .manual)))["runtime.slot"] == "manual-60")
        #expect(labels(try fakeSpec())["runtime.slot"] == nil)
    }

    @Test(arguments: ["running", "paused", "exited", "dead", "removing"], [true, false])
    func f29ASlotThatWasStartedIsAConflictWhateverItWasStartedFrom(_ status: String, _ isSame: Bool) async throws {
        let spec = try fakeSlotSpec(60)
        try await withFakeEngine({ request, _ in
            if request.line == "POST /containers/create" { return Self.taken }
            guard request.path.hasPrefix("/containers/the0-run-") else { return Self.willing(request) }
            return Self.standing(status, hash: isSame ? spec.hash : "other", started: "2026-01-01T00:00:01Z")
        }) { engine, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 1) }
            #expect(error?.code == .conflict)
            #expect(!engine.lines.contains { $0.hasPrefix("DELETE") || $0.hasSuffix("/start") })
        }
    }

    @Test(arguments: [("2026-01-01T00:09:16Z", false), ("2026-01-01T00:09:15Z", true)])
    func f29WhatWasNeverStartedIsReplacedOnceNobodyCanStartItAnyMore(_ created: String, _ isReplaced: Bool) async throws
    {
        try await withFakeEngine({ request, number in
            if request.line == "POST /containers/create", number == 1 { return Self.taken }
            let isStanding = request.path.hasPrefix("/containers/the0-run-")
            return isStanding ? Self.standing("created", created: created) : Self.willing(request)
        }) { engine, runner in
            let spec = try fakeSlotSpec(60)
            var failure: RunnerError?
            do throws(RunnerError) { try await runner.start(spec, attempt: 0) } catch { failure = error }
            #expect(failure?.code == (isReplaced ? nil : .conflict))
            #expect(
                engine.requests.filter { $0.line == "DELETE /containers/old" }.map(\.query)
                    == (isReplaced ? ["v=1"] : [])
            )
        }
    }

    @Test func f28AStartWithoutAnAnswerLeavesTheContainerWhichMayHaveRun() async throws {
        let answers: [FakeAnswer] = [.closes, .raw("HTTP/1.1 204"), .raw("nonsense")]
        for answer in answers {
            try await withFakeEngine({ request, _ in
                request.line == "POST /containers/c1/start" ? answer : Self.willing(request)
            }) { engine, runner in
                let error = await #expect(throws: RunnerError.self) {
                    try await runner.start(try fakeSlotSpec(60), attempt: 0)
                }
                #expect(error?.code == .unavailable)
                #expect(error?.isRetryable == true)
                #expect(engine.lines.last == "POST /containers/c1/start")
                #expect(engine.lines.filter { $0 == "POST /containers/create" }.count == 1)
            }
        }
    }

    @Test func f28AStartThatIsGivenUpWhileTheEngineWorksLeavesTheContainer() async throws {
        var impatient = DockerSettings(stopGrace: .zero)
        impatient.startGrace = .zero
        let reached = AsyncStream<Void>.makeStream()
        try await withFakeEngine(
            { request, _ in
                guard request.line == "POST /containers/c1/start" else { return Self.willing(request) }
                reached.continuation.yield()
                return .hang
            },
            settings: impatient
        ) { engine, runner in
            let spec = try fakeSlotSpec(60)
            let start = Task { try await runner.start(spec, attempt: 0) }
            for await _ in reached.stream { break }
            start.cancel()
            let result = await start.result
            #expect(throws: (any Error).self) { try result.get() }
            #expect(engine.lines.last == "POST /containers/c1/start")
        }
    }

    @Test(arguments: [404, 409, 500])
    func f28AStartThatTheEngineDeniesIsRemovedIfItNeverRanAndNotTriedAgainUnseen(_ status: Int) async throws {
        for (started, isRemoved) in [("0001-01-01T00:00:00Z", true), ("2026-01-01T00:00:01Z", false)] {
            try await withFakeEngine({ request, _ in
                switch request.line {
                case "POST /containers/c1/start": .json(status, #"{"message":"no network"}"#)
                case "GET /containers/c1/json": Self.standing(isRemoved ? "created" : "exited", started: started)
                default: Self.willing(request)
                }
            }) { engine, runner in
                let error = await #expect(throws: RunnerError.self) {
                    try await runner.start(try fakeSlotSpec(60), attempt: 0)
                }
                #expect(error?.code == (status == 409 ? .conflict : .failedToStart))
                let removals = engine.requests.filter { $0.line == "DELETE /containers/c1" }
                #expect(removals.map(\.query) == (isRemoved ? ["v=1"] : []))
                #expect(engine.lines.filter { $0 == "POST /containers/create" }.count == 1)
            }
        }
    }

    @Test func f28ACodeThatCannotBeSentIsNotSentAgainToAContainerThatSomebodyRemoved() async throws {
        try await withFakeEngine({ request, _ in
            request.method == "PUT" ? .json(404, #"{"message":"no such container"}"#) : Self.willing(request)
        }) { engine, runner in
            let error = await #expect(throws: RunnerError.self) {
                try await runner.start(try fakeSlotSpec(60), attempt: 0)
            }
            #expect(error?.code == .failedToStart)
            #expect(engine.lines.filter { $0 == "POST /containers/create" }.count == 1)
            #expect(engine.lines.last == "DELETE /containers/c1")
        }
    }

    @Test func f32StoppingWaitsUntilTheEngineSaysThatItEndedAndRemovesNothing() async throws {
        try await withFakeEngine({ request, number in
            guard request.line == "GET /containers/c9/json" else { return .none }
            return Self.standing(number < 4 ? "running" : "exited", started: "2026-01-01T00:00:01Z")
        }) { engine, runner in
            try await runner.stop(fakeRun("c9"))
            #expect(
                engine.lines == ["POST /containers/c9/stop"] + Array(repeating: "GET /containers/c9/json", count: 4)
            )
        }
        // What is gone has ended.
        try await withFakeEngine({ _, _ in .json(404, "") }) { _, runner in try await runner.stop(fakeRun("c9")) }
        // What was never started may still be.
        try await withFakeEngine({ request, _ in
            request.method == "GET" ? Self.standing("created") : .json(304, "")
        }) { _, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.stop(fakeRun("c9")) }
            #expect(error?.code == .notStopped)
        }
        let failure = FakeAnswer.json(500, #"{"message":"no exit event"}"#)
        try await withFakeEngine({ _, _ in failure }) { _, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.stop(fakeRun("c9")) }
            #expect(error?.code == .notStopped)
            #expect(error?.isRetryable == true)
        }
    }

    @Test func aResultIsNoneOnlyWhenTheContainerIsThere() async throws {
        let missing = FakeAnswer.json(404, #"{"message":"Could not find the file"}"#)
        for (standing, code) in [
            ([Self.standing("exited"), Self.standing("exited")], nil),
            ([Self.standing("exited"), FakeAnswer.json(404, "")], .gone),
            // Its volume may have gone before it.
            ([Self.standing("exited"), Self.standing("removing")], .gone),
            ([FakeAnswer.json(404, "")], .gone), ([Self.standing("running")], .conflict),
            ([FakeAnswer.json(500, "")], .unavailable),
        ] as [([FakeAnswer], RunnerError.Code?)] {
            try await withFakeEngine({ request, number in
                guard request.path.hasSuffix("/json") else { return missing }
                return standing.indices.contains(number - 1) ? standing[number - 1] : .closes
            }) { _, runner in
                var failure: RunnerError?
                do throws(RunnerError) { #expect(try await runner.result(of: fakeRun("c9"), limit: 10) == nil) } catch {
                    failure = error
                }
                #expect(failure?.code == code)
            }
        }
    }

    @Test func aResultThatComesCutOrAsSomethingElseIsNoResult() async throws {
        var tar = TarBlocks()
        tar.addFile("result.json", mode: 0o644, contents: "{}")
        tar.finish()
        let whole = tar.bytes
        for (answer, code) in [
            (.bytes([Array(whole[..<100]), Array(whole[100...])], closes: true), nil),
            (.bytes([Array(whole.prefix(512))], closes: true), .unavailable),
            (.bytes([Array(whole.prefix(513)), nil], closes: true), .unavailable),
            (.bytes([Array("no tar".utf8)], closes: true), .unavailable), (.json(500, ""), .unavailable),
        ] as [(FakeAnswer, RunnerError.Code?)] {
            try await withFakeEngine({ request, _ in
                request.path.hasSuffix("/json") ? Self.standing("exited") : answer
            }) { engine, runner in
                var failure: RunnerError?
                do throws(RunnerError) {
                    #expect(try await runner.result(of: fakeRun("c9"), limit: 2) == Array("{}".utf8))
                    #expect(engine.requests.last?.query == "path=%2Fbot%2Fresult.json")
                } catch {
                    failure = error
                }
                #expect(failure?.code == code)
            }
        }
    }

    @Test func f29AnotherEngineBehindTheSameSocketIsAnotherPlatform() async throws {
        try await withFakeEngine({ _, number in .ok(#"{"ID":"\#(number < 3 ? "A:B" : "C:D")"}"#) }) { _, runner in
            let platforms = [try await runner.platform(), try await runner.platform(), try await runner.platform()]
            #expect(platforms == ["docker/A:B/test", "docker/A:B/test", "docker/C:D/test"])
        }
        try await withFakeEngine({ _, _ in .json(500, "") }) { _, runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.platform() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func anEngineWithoutAnIdIsMarkedOnceWithAVolume() async throws {
        let volume = Mutex<String?>(nil)
        try await withFakeEngine({ request, _ in
            switch (request.method, request.path) {
            case ("GET", "/info"): return .ok(#"{"ID":""}"#)
            case ("POST", "/volumes/create"):
                volume.withLock { $0 = String(decoding: request.body, as: UTF8.self) }
                return .json(500, "")
            default:
                return volume.withLock { $0 }.map { .ok($0) } ?? .json(404, "")
            }
        }) { engine, runner in
            let first = try await runner.platform()
            #expect(first.wholeMatch(of: /docker\/[a-z0-9]{2,26}\/test/) != nil)
            #expect(try await runner.platform() == first)
            #expect(engine.lines.filter { $0 == "POST /volumes/create" }.count == 1)
        }
        // A volume of that name that isn't ours says nothing.
        try await withFakeEngine({ request, _ in .ok(request.path == "/info" ? "{}" : #"{"Labels":null}"#) }) {
            _,
            runner in
            let error = await #expect(throws: RunnerError.self) { try await runner.platform() }
            #expect(error?.code == .unavailable)
        }
    }
}

func fakeSlotSpec(_ slot: Slot) throws -> LaunchSpec {
    let live = try fakeSpec().executable
    let executable = Executable(id: live.id, kind: .scheduled, slot: slot, config: live.config, custom: live.custom)
    return try LaunchSpecBuilder().spec(for: executable)
}
