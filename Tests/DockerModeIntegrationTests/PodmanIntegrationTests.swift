import DockerMode
import HTTP
import Model
import Runtime
import TestSupport
import Testing

/// A second engine that speaks Docker's API, in its own words.
///
/// `scripts/podman` runs it, in a folder of its own; it ends with the suite.
@Suite struct PodmanIntegrationTests {
    @Test func botsRunOnPodmanAsOnDocker() async throws {
        let podman = try await PodmanService.start(withPython: true)
        try await EngineFixture.with(connection: DockerConnection(unixSocket: podman.socket)) { engine in
            try await engine.checkContract()
            try await engine.checkCompletionContract(seesDeadLinks: false)
            try await stateIsLabelledAndCleared(engine)
            try await linesComeInOrder(engine)
            try await endsWake(engine)
        }
        await podman.stop()
    }

    private func stateIsLabelledAndCleared(_ engine: EngineFixture) async throws {
        let runner = engine.runner()
        let program = """
            import os
            lines = [str(os.getuid())]
            for path in ('/bot/x', '/state/x', '/tmp/x', '/x', '/the0/x'):
                try: open(path, 'w').write('x'); lines.append(path)
                except OSError: pass
            os.write(1, (' '.join(lines) + chr(10)).encode())
            """
        try await runner.start(try engine.spec("state", program), attempt: 0)
        #expect(try await engine.exit(runner, "state").code == 0)
        let run = try #require(try await runner.runs(of: .live).first)
        #expect(try await runner.lastLines(of: run, limit: 5).map(\.text) == ["65532 /bot/x /state/x /tmp/x"])
        try await runner.remove(run)
        #expect(try await engine.stateOwners().contains("state"))
        try await runner.removeLeftovers(known: [])
        #expect(try await engine.stateOwners().contains("state") == false)
    }

    private func linesComeInOrder(_ engine: EngineFixture) async throws {
        let runner = engine.runner()
        let program = "for n in range(5): print('line', n)\nprint('x' * 20000)\n"
        try await runner.start(try engine.spec("lines", program), attempt: 0)
        _ = try await engine.exit(runner, "lines")
        let run = try #require(try await runner.runs(of: .live).first)
        let lines = try await runner.lastLines(of: run, limit: 3).map(\.text)
        #expect(lines == ["line 3", "line 4", String(repeating: "x", count: 20000)])
        try await runner.remove(run)
    }

    private func endsWake(_ engine: EngineFixture) async throws {
        let runner = engine.runner()
        try await runner.start(try engine.spec("ender", sleeper), attempt: 0)
        let run = try #require(try await runner.runs(of: .live).first)
        let wakes = Wakes()
        let watch = Task { await runner.watch(.live) { wakes.add($0) } }
        defer { watch.cancel() }
        let deadline = ContinuousClock.now + .seconds(20)
        while wakes.all != [nil] {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(10))
        }
        _ = try await engine.api.call(.post, "/containers/\(run.reference)/kill?signal=KILL")
        while !wakes.all.contains("ender") {
            try #require(ContinuousClock.now < deadline, "\(wakes.all)")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
