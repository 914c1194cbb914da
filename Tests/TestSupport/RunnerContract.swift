public import Model
public import Runtime

/// What every runner promises, whatever its platform: written against the protocol, for any backend's tests to call.
///
/// A check that fails throws a `FixtureError` that says what was promised.
public struct RunnerContract: Sendable {
    /// The runner to test.
    let runner: any Runner
    /// A second one that shares nothing with it but the platform and the instance.
    let other: any Runner
    let longRunning: @Sendable (BotID, Int64) throws -> LaunchSpec
    let ending: (@Sendable (BotID, Int) throws -> LaunchSpec)?
    let scheduled: (@Sendable (BotID) throws -> LaunchSpec)?

    /// The contract of a runner.
    /// - Parameters:
    ///   - runner: the runner to test.
    ///   - other: a second one that shares nothing with it but the platform and the instance.
    ///   - longRunning: a specification for a program that runs until stopped, by id and an arbitrary config value.
    ///   - ending: a specification for a program that ends at once with this code; nil where the platform itself starts live bots
    ///     anew that have ended.
    ///   - scheduled: a long-running one for a scheduled run; nil where the runner has none.
    public init(
        runner: any Runner,
        other: any Runner,
        longRunning: @escaping @Sendable (BotID, Int64) throws -> LaunchSpec,
        ending: (@Sendable (BotID, Int) throws -> LaunchSpec)?,
        scheduled: (@Sendable (BotID) throws -> LaunchSpec)?
    ) {
        self.runner = runner
        self.other = other
        self.longRunning = longRunning
        self.ending = ending
        self.scheduled = scheduled
    }

    /// Checks all of it, on an instance on which nothing runs.
    public func check() async throws {
        try await nothingRunsAtFirst()
        try await whatWasStartedIsSeenByBothAndGoneAfterRemoval()
        try await startingTwiceIsStartingOnce()
        try await anotherSpecificationIsAConflict()
        try await twoStartsAtOnceLeaveOneRun()
        try await kindsAreApart()
        try await anEndIsKept()
        try await idsAreComparedExactly()
        try await idsAreData()
    }

    private func nothingRunsAtFirst() async throws {
        try holds(try await runner.runs(of: .live).isEmpty, "an empty platform has no live run")
        try holds(try await runner.runs(of: .scheduled).isEmpty, "an empty platform has no scheduled run")
        try holds(try await runner.runs(of: .live, id: "c-none").isEmpty, "a bot that never ran has no run")
    }

    private func whatWasStartedIsSeenByBothAndGoneAfterRemoval() async throws {
        let spec = try longRunning("c-seen", 1)
        try await runner.start(spec, attempt: 2)
        for reader in [runner, other] {
            let run = try one(
                try await reader.runs(of: .live).filter { $0.id == "c-seen" },
                "a started bot is listed once"
            )
            try holds(run.matches(spec), "a run matches what it was started from")
            try holds(run.attempt == 2, "the number of starts is kept with the run")
            try holds(run.isRunning, "a start returns when the bot runs")
            try holds(!run.matches(try longRunning("c-seen", 2)), "a run doesn't match another specification")
        }
        let run = try one(try await other.runs(of: .live, id: "c-seen"), "a bot's run is found by its id")
        try await other.remove(run)
        try holds(try await runner.runs(of: .live, id: "c-seen").isEmpty, "a removed run is gone")
        // What is gone already is a success.
        try await runner.remove(run)
    }

    private func startingTwiceIsStartingOnce() async throws {
        let spec = try longRunning("c-twice", 1)
        try await runner.start(spec, attempt: 0)
        let first = try one(try await runner.runs(of: .live, id: "c-twice"), "a start makes one run")
        try await other.start(spec, attempt: 0)
        let second = try one(try await runner.runs(of: .live, id: "c-twice"), "a second start makes no second run")
        try holds(first.reference == second.reference, "a second start leaves the run as it is")
        try await clear("c-twice")
    }

    private func anotherSpecificationIsAConflict() async throws {
        try await runner.start(try longRunning("c-other", 1), attempt: 0)
        let another = try longRunning("c-other", 2)
        var failure: RunnerError?
        do throws(RunnerError) { try await other.start(another, attempt: 0) } catch { failure = error }
        try holds(
            failure?.code == .conflict,
            "a start beside a run of another specification is a conflict, not \(String(describing: failure))"
        )
        try holds(failure?.isRetryable == true, "a conflict may pass")
        _ = try one(try await runner.runs(of: .live, id: "c-other"), "a conflict leaves the run that was there")
        try await clear("c-other")
    }

    private func twoStartsAtOnceLeaveOneRun() async throws {
        let spec = try longRunning("c-race", 1)
        let outcomes = await withTaskGroup(of: RunnerError?.self) { group in
            for runner in [runner, other, runner, other] {
                group.addTask {
                    do throws(RunnerError) { try await runner.start(spec, attempt: 0) } catch { return error }
                    return nil
                }
            }
            return await group.reduce(into: [RunnerError?]()) { $0.append($1) }
        }
        try holds(outcomes.contains { $0 == nil }, "of several starts at once one succeeds: \(outcomes)")
        try holds(
            outcomes.allSatisfy { $0 == nil || $0?.code == .conflict },
            "the others succeed or conflict: \(outcomes)"
        )
        let run = try one(try await runner.runs(of: .live, id: "c-race"), "several starts at once leave one run")
        try holds(run.isRunning, "which runs")
        try await clear("c-race")
    }

    private func kindsAreApart() async throws {
        guard let scheduled else { return }
        try await runner.start(try scheduled("c-kind"), attempt: 0)
        try holds(try await runner.runs(of: .live, id: "c-kind").isEmpty, "a scheduled run is no live one")
        _ = try one(try await runner.runs(of: .scheduled, id: "c-kind"), "a scheduled run is found as such")
        try await clear("c-kind")
    }

    private func anEndIsKept() async throws {
        guard let ending else { return }
        try await runner.start(try ending("c-end", 7), attempt: 0)
        let exit = try await eventuallyValue(within: .seconds(30), "the program's end is seen") {
            try await runner.runs(of: .live, id: "c-end").first?.exit
        }
        try holds(exit.code == 7, "the exit code is the bot's own, not \(exit.code)")
        try holds(exit.finishedAt >= exit.startedAt, "it ends after it began")
        try await runner.start(try ending("c-end", 7), attempt: 1)
        _ = try one(try await runner.runs(of: .live, id: "c-end"), "what ended is replaced by the next start")
        try await clear("c-end")
    }

    private func idsAreComparedExactly() async throws {
        // The same text to a reader, other bytes.
        let ids: [BotID] = ["c-\u{E9}", "c-e\u{301}"]
        for id in ids { try await runner.start(try longRunning(id, 1), attempt: 0) }
        for id in ids { _ = try one(try await runner.runs(of: .live, id: id), "ids are compared byte by byte") }
        for id in ids { try await clear(id) }
    }

    private func idsAreData() async throws {
        let ids = ["../../c-up", "/c-root", "c-\n-line", "c-'\"$(touch x)", String(repeating: "c", count: 4096)].map {
            BotID($0)
        }
        for id in ids {
            try await runner.start(try longRunning(id, 1), attempt: 0)
            let run = try one(
                try await other.runs(of: .live, id: id),
                "an id is data: \(id.text.prefix(20).debugDescription)"
            )
            try holds(run.id == id, "an id comes back as it was")
            try await clear(id)
        }
    }

    private func clear(_ id: BotID) async throws {
        for kind in ExecutableKind.allCases {
            for run in try await runner.runs(of: kind, id: id) { try await runner.remove(run) }
            try holds(try await runner.runs(of: kind, id: id).isEmpty, "a removed run is gone")
        }
    }
}

/// Checks a promise of a contract.
func holds(_ condition: Bool, _ promise: @autoclosure () -> String) throws {
    guard condition else { throw FixtureError("broken promise: \(promise())") }
}

/// Checks that there is one run.
func one(_ runs: [ObservedRun], _ promise: String) throws -> ObservedRun {
    guard runs.count == 1, let run = runs.first else {
        throw FixtureError("broken promise: \(promise); there are \(runs.count): \(runs)")
    }
    return run
}
