import Model
import Runtime
import Testing

/// What every runner promises, whatever its platform: written against the protocol, for any backend's tests to call.
struct RunnerContract: Sendable {
    /// The runner to test, and a second one that shares nothing with it but the platform and the instance.
    let runner: any Runner
    let other: any Runner
    /// A specification for a program that runs until stopped, by id and an arbitrary config value.
    let longRunning: @Sendable (BotID, Int64) throws -> LaunchSpec
    /// A specification for a program that ends at once with this code.
    let ending: @Sendable (BotID, Int) throws -> LaunchSpec
    /// The same for a scheduled run.
    let scheduled: @Sendable (BotID) throws -> LaunchSpec

    func check() async throws {
        try await nothingRunsAtFirst()
        try await whatWasStartedIsSeenByBothAndGoneAfterRemoval()
        try await startingTwiceIsStartingOnce()
        try await anotherSpecificationIsAConflict()
        try await kindsAreApart()
        try await anEndIsKept()
        try await idsAreComparedExactly()
    }

    private func nothingRunsAtFirst() async throws {
        #expect(try await runner.runs(of: .live).isEmpty)
        #expect(try await runner.runs(of: .scheduled).isEmpty)
        #expect(try await runner.runs(of: .live, id: "c-none").isEmpty)
    }

    private func whatWasStartedIsSeenByBothAndGoneAfterRemoval() async throws {
        let spec = try longRunning("c-seen", 1)
        try await runner.start(spec, attempt: 2)
        for reader in [runner, other] {
            let run = try #require(try await reader.runs(of: .live).first { $0.id == "c-seen" })
            #expect(run.matches(spec))
            #expect(run.attempt == 2)
            #expect(run.phase.isRunning)
            #expect(run.matches(try longRunning("c-seen", 2)) == false)
        }
        let run = try #require(try await other.runs(of: .live, id: "c-seen").first)
        try await other.remove(run)
        #expect(try await runner.runs(of: .live, id: "c-seen").isEmpty)
        try await runner.remove(run)
    }

    private func startingTwiceIsStartingOnce() async throws {
        let spec = try longRunning("c-twice", 1)
        try await runner.start(spec, attempt: 0)
        let first = try await runner.runs(of: .live, id: "c-twice")
        try await other.start(spec, attempt: 0)
        let second = try await runner.runs(of: .live, id: "c-twice")
        #expect(first.count == 1)
        #expect(first.map(\.reference) == second.map(\.reference))
        try await clear("c-twice")
    }

    private func anotherSpecificationIsAConflict() async throws {
        try await runner.start(try longRunning("c-other", 1), attempt: 0)
        let error = await #expect(throws: RunnerError.self) {
            try await other.start(try longRunning("c-other", 2), attempt: 0)
        }
        #expect(error?.code == .conflict)
        #expect(error?.isRetryable == true)
        #expect(try await runner.runs(of: .live, id: "c-other").count == 1)
        try await clear("c-other")
    }

    private func kindsAreApart() async throws {
        try await runner.start(try scheduled("c-kind"), attempt: 0)
        #expect(try await runner.runs(of: .live, id: "c-kind").isEmpty)
        #expect(try await runner.runs(of: .scheduled, id: "c-kind").count == 1)
        try await clear("c-kind")
    }

    private func anEndIsKept() async throws {
        try await runner.start(try ending("c-end", 7), attempt: 0)
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if case .exited(let exit) = try await runner.runs(of: .live, id: "c-end").first?.phase {
                #expect(exit.code == 7)
                #expect(exit.finishedAt >= exit.startedAt)
                try await runner.start(try ending("c-end", 7), attempt: 1)
                #expect(try await runner.runs(of: .live, id: "c-end").count == 1)
                return try await clear("c-end")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the program's end wasn't seen")
    }

    private func idsAreComparedExactly() async throws {
        // The same text to a reader, other bytes.
        try await runner.start(try longRunning("c-\u{E9}", 1), attempt: 0)
        try await runner.start(try longRunning("c-e\u{301}", 1), attempt: 0)
        #expect(try await runner.runs(of: .live, id: "c-\u{E9}").count == 1)
        #expect(try await runner.runs(of: .live, id: "c-e\u{301}").count == 1)
        try await clear("c-\u{E9}")
        try await clear("c-e\u{301}")
    }

    private func clear(_ id: BotID) async throws {
        for kind in ExecutableKind.allCases {
            for run in try await runner.runs(of: kind, id: id) { try await runner.remove(run) }
            #expect(try await runner.runs(of: kind, id: id).isEmpty)
        }
    }
}

extension ObservedRun.Phase {
    var isRunning: Bool { if case .running = self { true } else { false } }
}
