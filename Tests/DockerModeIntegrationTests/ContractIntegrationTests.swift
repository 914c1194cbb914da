import DockerMode
import Model
import Runtime
import TestSupport
import Testing

@Suite struct ContractIntegrationTests {
    @Test func theRunnerKeepsTheContractOfAllRunners() async throws {
        try await EngineFixture.with { engine in try await engine.checkContract() }
    }

    @Test func f29TheRunnerKeepsTheContractOfRunnersOfSlots() async throws {
        try await EngineFixture.with { engine in try await engine.checkCompletionContract() }
    }
}

extension EngineFixture {
    func checkContract() async throws {
        let contract = RunnerContract(
            runner: runner(),
            other: runner(),
            longRunning: { id, value in try spec(id, config: ["value": .integer(value)], sleeper) },
            ending: { id, code in try spec(id, "raise SystemExit(\(code))\n") },
            scheduled: { id in try spec(id, kind: .scheduled, slot: 1_700_000_000, sleeper) }
        )
        try await contract.check()
    }

    func checkCompletionContract(seesDeadLinks: Bool = true) async throws {
        let contract = CompletionContract(runner: runner(), other: runner(), seesDeadLinks: seesDeadLinks) {
            id,
            kind,
            slot,
            program in
            try spec(id, kind: kind, slot: slot, program)
        }
        try await contract.check()
    }
}
