import DockerMode
import Model
import Runtime
import TestSupport
import Testing

extension EngineFixture {
    /// A specification for a Python program.
    func spec(
        _ id: BotID,
        kind: ExecutableKind = .live,
        slot: Slot? = nil,
        config: JSONObject = ["a": 1],
        sandbox: Sandbox = Sandbox(),
        _ program: String
    ) throws -> LaunchSpec {
        try spec(id, kind: kind, slot: slot, config: config, sandbox: sandbox, files: ["main.py": program])
    }

    /// A specification for a program of these files.
    func spec(
        _ id: BotID,
        kind: ExecutableKind = .live,
        slot: Slot? = nil,
        config: JSONObject = ["a": 1],
        sandbox: Sandbox = Sandbox(),
        runtime: String = "python3.11",
        entrypoint: String = "main.py",
        files: [String: String]
    ) throws -> LaunchSpec {
        try code.spec(
            id,
            kind: kind,
            slot: slot,
            config: config,
            builder: LaunchSpecBuilder(sandbox: sandbox),
            runtime: runtime,
            entrypoint: entrypoint,
            files: files
        )
    }

    /// Waits until the one run of a bot is as asked.
    func wait(
        _ runner: any Runner,
        _ id: BotID,
        kind: ExecutableKind = .live,
        seconds: Int = 20,
        _ condition: (ObservedRun) -> Bool
    ) async throws -> ObservedRun {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let runs = try await runner.runs(of: kind, id: id)
            if let run = runs.first(where: condition) { return run }
            try #require(ContinuousClock.now < deadline, "\(id): still \(runs.map(\.phase))")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func exit(_ runner: any Runner, _ id: BotID, kind: ExecutableKind = .live) async throws -> Exit {
        let run = try await wait(runner, id, kind: kind) { if case .exited = $0.phase { true } else { false } }
        guard case .exited(let exit) = run.phase else { throw RunnerError(.unavailable, "not ended") }
        return exit
    }
}

/// A program that runs until it is stopped.
let sleeper = "import time\nprint('up', flush=True)\nwhile True: time.sleep(1)\n"
