import DockerMode
import HTTP
import Model
import Runtime
import Synchronization
import Testing

@Suite struct ObservationIntegrationTests {
    @Test func f12ExitCodeAndLastLinesAreKeptAfterACrash() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            try await runner.start(try engine.spec("crash", "print('before')\nraise ValueError('boom')\n"), attempt: 4)
            let exit = try await engine.exit(runner, "crash")
            #expect(exit.code == 1)
            #expect(!exit.outOfMemory)
            #expect(exit.finishedAt > exit.startedAt)
            let run = try #require(try await runner.runs(of: .live).first)
            #expect(run.attempt == 4)
            // The engine reads the two streams on their own, so lines written in the same moment may change places.
            let lines = try await runner.lastLines(of: run, limit: 10)
            #expect(lines.contains { $0.text == "before" && $0.stream == .stdout })
            #expect(lines.contains { $0.text == "ValueError: boom" && $0.stream == .stderr })
        }
    }

    @Test func f12ABotThatWasKilledForMemoryIsToldFromOthers() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let config: JSONObject = ["memory_limit": "32Mi", "memory_request": "16Mi"]
            // The engine learns of the kill through the container's control group, and misses it when that goes at once with
            // its last process (2 of 80 under load): here the parent lives a second longer than the child that is killed.
            let program = """
                import os, time
                if (child := os.fork()) == 0:
                    x = bytearray(1 << 28)
                    os._exit(3)
                status = os.waitpid(child, 0)[1]
                time.sleep(1)
                os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else 1)
                """
            try await runner.start(try engine.spec("greedy", config: config, program), attempt: 0)
            let exit = try await engine.exit(runner, "greedy")
            #expect(exit.code == 137)
            #expect(exit.outOfMemory)
        }
    }

    @Test func f16LinesKeepTheirOrderAndTheirStream() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let program = """
                import sys, time
                for n in range(10):
                    print('line', n, file=(sys.stdout, sys.stderr)[n % 2], flush=True)
                    time.sleep(0.2)
                print('x' * 40000, flush=True)
                print('', flush=True)
                sys.stdout.write('no end')
                """
            try await runner.start(try engine.spec("writer", program), attempt: 0)
            _ = try await engine.exit(runner, "writer")
            let run = try #require(try await runner.runs(of: .live).first)
            let lines = try await runner.lastLines(of: run, limit: 100)
            // The engine reads the two streams by themselves: on a busy machine neighbours of different streams change places.
            for (stream, first) in [(OutputLine.Stream.stdout, 0), (.stderr, 1)] {
                let texts = lines.prefix(10).filter { $0.stream == stream }.map(\.text)
                #expect(texts == stride(from: first, to: 10, by: 2).map { "line \($0)" })
            }
            #expect(lines.dropFirst(10).map(\.text) == [String(repeating: "x", count: 40000), "", "no end"])
            #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.time <= $1.time })
            #expect(try await runner.lastLines(of: run, limit: 2).map(\.text) == ["", "no end"])
        }
    }

    @Test func f04ARunnerSeesOnlyItsOwnKindAndInstanceAlsoAmongContainersOfVersion120() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            try await runner.start(try engine.spec("live", sleeper), attempt: 0)
            try await runner.start(try engine.spec("scheduled", kind: .scheduled, slot: 60, sleeper), attempt: 0)
            #expect(try await runner.runs(of: .live).map(\.id) == ["live"])
            #expect(try await runner.runs(of: .scheduled).map(\.id) == ["scheduled"])
            #expect(try await engine.runner(instance: engine.instance + "x").runs(of: .live).isEmpty)

            let live = try await engine.legacy("\(engine.instance)-l", removesItself: true, config: #"{"b":2,"a":1}"#)
            let scheduled = try await engine.legacy(
                "\(engine.instance)-s",
                removesItself: false,
                config: #"{"schedule":"* * * * *"}"#
            )
            let doubtful = try await engine.legacy("\(engine.instance)-d", removesItself: false, config: "{}")
            let standard = engine.runner(instance: "default")
            func ours(_ runs: [ObservedRun]) -> [ObservedRun] {
                runs.filter { [live, scheduled, doubtful].contains($0.reference) }
            }
            let liveRuns = ours(try await standard.runs(of: .live))
            #expect(liveRuns.map(\.reference) == [live])
            #expect(
                liveRuns.first?.origin
                    == .legacy(
                        LegacyLaunch(image: EngineFixture.python, entrypoint: "main.py", config: ["a": 1, "b": 2])
                    )
            )
            #expect(ours(try await standard.runs(of: .scheduled)).map(\.reference) == [scheduled])
            #expect(try await runner.runs(of: .live).map(\.id) == ["live"])
            try await standard.remove(try #require(liveRuns.first))
            #expect(ours(try await standard.runs(of: .live)).isEmpty)
            for id in [scheduled, doubtful] { _ = try await engine.api.call(.delete, "/containers/\(id)?v=1&force=1") }
        }
    }

    @Test func eventsWakeTheBotTheyConcern() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let wakes = Wakes()
            let watch = Task { await runner.watch(.live) { wakes.add($0) } }
            defer { watch.cancel() }
            func until(_ what: String, _ condition: ([BotID?]) -> Bool) async throws {
                let deadline = ContinuousClock.now + .seconds(20)
                while !condition(wakes.all) {
                    try #require(ContinuousClock.now < deadline, "\(what): \(wakes.all)")
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            try await until("connected") { $0 == [nil] }
            try await runner.start(try engine.spec("crasher", "raise SystemExit(3)"), attempt: 0)
            try await until("start and end") { $0.filter { $0 == "crasher" }.count >= 2 }
            try await runner.start(try engine.spec("run", kind: .scheduled, slot: 1, "pass"), attempt: 0)
            _ = try await engine.exit(runner, "run", kind: .scheduled)
            #expect(!wakes.all.contains("run"))
            watch.cancel()
            await watch.value
        }
    }
}

final class Wakes: Sendable {
    private let ids = Mutex<[BotID?]>([])
    var all: [BotID?] { ids.withLock { $0 } }
    func add(_ id: BotID?) { ids.withLock { $0.append(id) } }
}

extension EngineFixture {
    /// A container as version 1.2.0 makes them.
    func legacy(_ id: String, removesItself: Bool, config: String) async throws -> String {
        let body: JSONValue = [
            "Image": .string(EngineFixture.python),
            "Cmd": ["/bin/sleep", "1000"],
            "WorkingDir": "/tmp",
            "StopSignal": "SIGTERM",
            "Env": [
                "PYTHONDONTWRITEBYTECODE=1", .string("ID=\(id)"), .string("CONFIG=\(config)"), "ENTRYPOINT_TYPE=bot",
                "CODE_MOUNT_DIR=bot",
            ],
            "Labels": [
                "runtime.id": .string(id), "runtime.entrypoint": "main.py", "runtime.managed": "true",
                "runtime.segment": "-1",
                "test.instance": .string(instance),
            ],
            "HostConfig": ["NetworkMode": "host", "AutoRemove": .bool(removesItself)],
        ]
        let container = try #require(try await api.object(.post, "/containers/create", body)["Id"]?.string)
        #expect(try await api.call(.post, "/containers/\(container)/start").status == 204)
        return container
    }
}
