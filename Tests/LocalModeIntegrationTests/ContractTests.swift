import Model
import Runtime
import TestSupport
import Testing

@testable import LocalMode

@Suite struct LocalContractIntegrationTests {
    @Test func theRunnerKeepsTheContractOfAllRunners() async throws {
        try await LocalFixture.with { local in
            let contract = RunnerContract(
                runner: try await local.runner(),
                other: try await local.runner(),
                longRunning: { id, value in try local.spec(id, config: ["value": .integer(value)], sleeper) },
                ending: { id, code in try local.spec(id, "raise SystemExit(\(code))\n") },
                scheduled: { id in
                    try local.code.spec(id, kind: .scheduled, slot: 1_700_000_000, files: ["main.py": sleeper])
                }
            )
            try await contract.check()
        }
    }

    @Test func f29TheRunnerKeepsTheContractOfRunnersOfSlots() async throws {
        try await LocalFixture.with { local in
            let runners = (try await local.runner(), try await local.runner())
            let contract = CompletionContract(runner: runners.0, other: runners.1) { id, kind, slot, program in
                try local.code.spec(id, kind: kind, slot: slot, files: ["main.py": program])
            }
            try await contract.check()
        }
    }
}
