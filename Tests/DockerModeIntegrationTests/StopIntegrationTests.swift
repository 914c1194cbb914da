import DockerMode
import HTTP
import Model
import Runtime
import Testing

@Suite struct StopIntegrationTests {
    /// Ignores SIGTERM, and says when it is ready to.
    static let stubborn = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print('ready', flush=True)
        while True: time.sleep(1)
        """

    @Test func f07ABotThatIgnoresSIGTERMIsKilledAfterItsGraceAndKnownToBeGone() async throws {
        try await EngineFixture.with { engine in
            let logs = RecordedLogs()
            let runner = engine.runner(DockerSettings(stopGrace: .seconds(2)), logger: logs.logger)
            try await runner.start(try engine.spec("stubborn", StopIntegrationTests.stubborn), attempt: 0)
            let run = try await engine.saying("ready", runner, "stubborn")
            let took = try await ContinuousClock().measure { try await runner.remove(run) }
            #expect(took >= .seconds(2))
            #expect(took < .seconds(20))
            #expect(try await runner.runs(of: .live).isEmpty)
            // The engine was given the time for all of it: nobody lost patience with it at the end of the grace.
            #expect(logs.warnings.isEmpty, "\(logs.warnings)")
        }
    }

    @Test func f08StubbornBotsDelayNoOther() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner(DockerSettings(stopGrace: .seconds(12)))
            var runs: [ObservedRun] = []
            for index in 0..<4 {
                let id = BotID("stubborn-\(index)")
                try await runner.start(try engine.spec(id, StopIntegrationTests.stubborn), attempt: 0)
                runs.append(try await engine.saying("ready", runner, id))
            }
            let clock = ContinuousClock()
            let began = clock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for run in runs { group.addTask { try await runner.remove(run) } }
                try await runner.start(try engine.spec("quick", sleeper), attempt: 0)
                let quick = try #require(try await runner.runs(of: .live, id: "quick").first)
                try await runner.remove(quick)
                #expect(clock.now - began < .seconds(12))
                try await group.waitForAll()
            }
            // One after the other would take 48 s.
            #expect(clock.now - began < .seconds(40))
            #expect(try await runner.runs(of: .live).isEmpty)
        }
    }

    @Test func f18ABotWithoutSignalHandlersStopsAtOnceAndLeavesNoZombies() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner(DockerSettings(stopGrace: .seconds(20)))
            // As PID 1 it would ignore SIGTERM; its orphans would stay zombies.
            let program = """
                import os, subprocess, time
                subprocess.run(['/bin/sh', '-c', '(sleep 0.1 &) ; exit 0'])
                time.sleep(1)
                states = [open(f'/proc/{p}/stat').read().rsplit(')', 1)[1].split()[0] for p in os.listdir('/proc') if p.isdigit()]
                print(os.getpid() != 1, states.count('Z'), flush=True)
                while True: time.sleep(1)
                """
            try await runner.start(try engine.spec("plain", program), attempt: 0)
            let run = try await engine.saying("True 0", runner, "plain")
            let took = try await ContinuousClock().measure { try await runner.remove(run) }
            #expect(took < .seconds(15))
        }
    }

    @Test func stateOutlivesTheContainerAndTheCodesVolumeDoesNot() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let program = """
                import os
                os.makedirs(os.environ['STATE_DIR'], exist_ok=True)
                path = os.environ['STATE_DIR'] + '/n.json'
                n = int(open(path).read()) if os.path.exists(path) else 0
                open(path, 'w').write(str(n + 1))
                open('/bot/result.json', 'w').write('{}')
                raise SystemExit(n)
                """
            for expected in 0..<3 {
                try await runner.start(try engine.spec("stateful", program), attempt: 0)
                #expect(try await engine.exit(runner, "stateful").code == expected)
                let run = try #require(try await runner.runs(of: .live).first)
                let volumes = try await engine.volumes(of: run)
                #expect(volumes.count == 2)
                try await runner.remove(run)
                var left: [String] = []
                for volume in volumes where try await engine.api.call(.get, "/volumes/\(volume)").status == 200 {
                    left.append(volume)
                }
                #expect(left.count == 1)
                #expect(left.first?.hasPrefix("the0-bot-state-stateful-") == true)
            }
        }
    }

    @Test func onlyTheStateOfBotsThatAreGoneIsRemoved() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            for id in ["kept", "gone", "running"] as [BotID] {
                try await runner.start(try engine.spec(id, sleeper), attempt: 0)
            }
            try await runner.start(try engine.spec("slot", kind: .scheduled, slot: 1, sleeper), attempt: 0)
            for run in try await runner.runs(of: .live) where run.id != "running" { try await runner.remove(run) }
            for run in try await runner.runs(of: .scheduled) { try await runner.remove(run) }
            try await runner.removeLeftovers(known: ["kept"])
            let left = try await engine.stateOwners()
            // A running bot's state is in use, and a runner of live bots knows nothing of schedules.
            #expect(left == ["kept", "running", "slot"])
            let both = engine.runner(DockerSettings(keptKinds: [.live, .scheduled]))
            try await both.removeLeftovers(known: ["kept"])
            #expect(try await engine.stateOwners() == ["kept", "running"])
        }
    }
}

extension StopIntegrationTests {
    @Test func aPreparedImageIsRemovedWhenItsBaseIsGoneAndKeptWhileItIsCurrent() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            try await runner.start(try engine.spec("user", sleeper), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let container = try await engine.api.object(.get, "/containers/\(run.reference)/json")
            let current = try #require(container["Config"]?.object?["Image"]?.string)
            let old = "the0-runtime/old-\(engine.instance.lowercased())"
            let labels: JSONValue = [
                "runtime.prepared": "true", "runtime.prepared.base": "sha256:gone", "runtime.prepared.kind": "python",
                "runtime.managed": "", "runtime.instance": "",
            ]
            let commit = "/commit?container=\(run.reference)&repo=\(old)&tag=1&pause=0"
            _ = try await engine.api.object(.post, commit, ["Labels": labels])
            #expect(try await engine.api.call(.get, "/images/\(old):1/json").status == 200)
            try await runner.removeLeftovers(known: ["user"])
            #expect(try await engine.api.call(.get, "/images/\(old):1/json").status == 404)
            #expect(try await engine.api.call(.get, "/images/\(current)/json").status == 200)
        }
    }
}

extension EngineFixture {
    /// Waits until a run has written a line.
    func saying(_ line: String, _ runner: any RunOutputReading, _ id: BotID) async throws -> ObservedRun {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let run = try #require(try await runner.runs(of: .live, id: id).first)
            let lines = try await runner.lastLines(of: run, limit: 100)
            if lines.contains(where: { $0.text == line }) { return run }
            try #require(ContinuousClock.now < deadline, "\(id) wrote \(lines.map(\.text)), \(run.phase)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func volumes(of run: ObservedRun) async throws -> [String] {
        let container = try await api.object(.get, "/containers/\(run.reference)/json")
        guard case .array(let mounts) = container["Mounts"] else { return [] }
        return mounts.compactMap { $0.object?["Name"]?.string }
    }

    func stateOwners() async throws -> [String] {
        let volumes = try await api.object(.get, "/volumes?filters=" + RawEngine.filter("runtime.instance=\(instance)"))
        guard case .array(let list) = volumes["Volumes"] else { return [] }
        return list.compactMap { $0.object?["Labels"]?.object?["runtime.id"]?.string }.sorted()
    }
}
