import DockerMode
import Model
import Runtime
import Testing

@Suite struct StartIntegrationTests {
    @Test func aPythonBotIsStartedObservedAndRemoved() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let spec = try engine.spec("bot-1", sleeper)
            #expect(try await runner.runs(of: .live).isEmpty)
            try await runner.start(spec, attempt: 3)
            let runs = try await runner.runs(of: .live)
            let run = try #require(runs.first)
            #expect(runs.count == 1)
            #expect(run.id == "bot-1")
            #expect(run.origin == .hash(spec.hash))
            #expect(run.attempt == 3)
            guard case .running = run.phase else {
                Issue.record("not running: \(run.phase)")
                return
            }
            try await runner.remove(run)
            #expect(try await runner.runs(of: .live).isEmpty)
            try await runner.remove(run)
        }
    }
}
