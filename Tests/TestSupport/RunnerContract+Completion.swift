public import Model
public import Runtime

/// What a runner promises besides that runs slots to completion, whatever its platform.
///
/// A check that fails throws a `FixtureError` that says what was promised.
public struct CompletionContract: Sendable {
    /// The runner to test.
    let runner: any CompletionRunner & RunOutputReading
    /// A second one that shares nothing with it but the platform and the instance.
    let other: any CompletionRunner
    /// Whether the platform tells a link that leads nowhere from nothing.
    let seesDeadLinks: Bool
    /// The specification for a program in Python.
    let spec: @Sendable (BotID, ExecutableKind, Slot?, String) throws -> LaunchSpec

    var runners: [any CompletionRunner] { [runner, other] }
    static let limit = 1 << 16
    static let sleeper = "import time\nprint('up', flush=True)\nwhile True: time.sleep(1)\n"
    /// Where a program finds its result's path.
    static let path = "import os, sys, time\nR = '/' + os.environ['CODE_MOUNT_DIR'] + '/result.json'\n"
    /// Counts its starts in what outlives runs, and says the number.
    static let counter =
        path + """
            n = os.environ['STATE_DIR'] + '-starts'
            open(n, 'a').write('x')
            open(R, 'w').write(str(os.path.getsize(n)))

            """

    /// The contract of a runner.
    /// - Parameters:
    ///   - runner: the runner to test, whose grace is a few seconds.
    ///   - other: a second one that shares nothing with it but the platform and the instance.
    ///   - seesDeadLinks: whether the platform tells a link that leads nowhere, or out of `/bot`, from nothing.
    ///   - spec: a specification by id, kind, slot and the text of a program in Python.
    public init(
        runner: any CompletionRunner & RunOutputReading,
        other: any CompletionRunner,
        seesDeadLinks: Bool = true,
        spec: @escaping @Sendable (BotID, ExecutableKind, Slot?, String) throws -> LaunchSpec
    ) {
        self.runner = runner
        self.other = other
        self.seesDeadLinks = seesDeadLinks
        self.spec = spec
    }

    /// Checks all of it, on an instance on which nothing runs.
    public func check() async throws {
        try await thePlatformIsTheSameForBoth()
        try await slotsAndKindsAreApart()
        try await aSlotThatRunsIsAConflict()
        try await aSlotThatEndedIsAConflictUntilItIsRemoved()
        try await ofStartsAtOnceOneSucceeds()
        try await stoppingKeepsTheEndAndTheResult()
        try await whatIgnoresTheSignalIsKilledAndKept()
        try await aResultIsReadAsItIs()
        try await whatIsNoResultIsRefused()
    }

    private func thePlatformIsTheSameForBoth() async throws {
        let platforms = [try await runner.platform(), try await other.platform(), try await runner.platform()]
        try holds(Set(platforms).count == 1, "one platform has one name: \(platforms)")
        try holds(!platforms[0].isEmpty, "a platform has a name")
    }

    private func slotsAndKindsAreApart() async throws {
        let slots = [Slot(1_700_000_000), Slot(1_700_000_000, trigger: .manual), Slot(1_700_000_060)]
        for slot in slots {
            let spec = try spec("s-slots", .scheduled, slot, CompletionContract.sleeper)
            try await runner.start(spec, attempt: 3)
            let all = try await other.runs(of: .scheduled)
            for runs in [all, try await other.runs(of: .scheduled, id: "s-slots")] {
                let run = try one(runs.filter { $0.slot == slot }, "a run tells its slot")
                try holds(run.id == "s-slots" && run.kind == .scheduled, "and whose it is")
                try holds(run.matches(spec) && run.attempt == 3 && run.isRunning, "and what it was started from")
            }
        }
        try await runner.start(try spec("s-slots", .live, nil, CompletionContract.sleeper), attempt: 0)
        let live = try one(try await runner.runs(of: .live, id: "s-slots"), "a live bot is beside its id's slots")
        try holds(live.slot == nil && live.isRunning, "and has none")
        let runs = try await runner.runs(of: .scheduled, id: "s-slots")
        try holds(Set(runs.map(\.slot)) == Set(slots) && runs.count == 3, "each slot has a run: \(runs)")
        try holds(Set(runs.map(\.reference)).count == 3, "of its own")
        try await runner.remove(live)
        let first = try one(runs.filter { $0.slot == slots[0] }, "a slot has one run")
        try await other.remove(first)
        let left = try await runner.runs(of: .scheduled, id: "s-slots")
        try holds(Set(left.map(\.slot)) == Set(slots.dropFirst()), "one slot's removal is no other's: \(left)")
        try holds(left.allSatisfy(\.isRunning), "the others run on")
        try await clear("s-slots")
    }

    private func aSlotThatRunsIsAConflict() async throws {
        let same = try spec("s-runs", .scheduled, 60, CompletionContract.sleeper)
        let another = try spec("s-runs", .scheduled, 60, CompletionContract.sleeper + "# other\n")
        try await runner.start(same, attempt: 0)
        let run = try one(try await runner.runs(of: .scheduled, id: "s-runs"), "a start makes one run")
        for spec in [same, another] {
            for runner in runners { try await isConflict(runner, spec, "a slot that runs isn't started again") }
        }
        let now = try one(try await runner.runs(of: .scheduled, id: "s-runs"), "a conflict leaves one run")
        try holds(now.reference == run.reference && now.isRunning, "as it is")
        try await clear("s-runs")
    }

    private func aSlotThatEndedIsAConflictUntilItIsRemoved() async throws {
        let program = CompletionContract.counter + "sys.exit(3)\n"
        let same = try spec("s-ended", .scheduled, 60, program)
        let another = try spec("s-ended", .scheduled, 60, program + "# other\n")
        try await runner.start(same, attempt: 0)
        let run = try await ended("s-ended")
        for spec in [same, another] {
            for runner in runners {
                try await isConflict(runner, spec, attempt: 1, "a slot that has ended isn't started again")
            }
        }
        let now = try one(try await other.runs(of: .scheduled, id: "s-ended"), "a conflict leaves the run that ended")
        try holds(now == run && now.exit?.code == 3 && now.attempt == 0, "as it is: \(now)")
        try await isResult(now, "1", "the program ran once")
        try await runner.remove(now)
        try await other.start(same, attempt: 1)
        let next = try await ended("s-ended")
        try holds(next.attempt == 1 && next.reference != run.reference, "after its removal a slot can be tried again")
        try await isResult(next, "2", "and then it runs")
        try await clear("s-ended")
    }

    private func ofStartsAtOnceOneSucceeds() async throws {
        // The second one ends before the others are done.
        for (slot, wait) in [(60, "time.sleep(600)\n"), (120, "")] as [(Slot, String)] {
            let spec = try spec("s-race", .scheduled, slot, CompletionContract.counter + wait)
            let outcomes = await withTaskGroup(of: RunnerError?.self) { group in
                for runner in runners + runners {
                    group.addTask {
                        do throws(RunnerError) { try await runner.start(spec, attempt: 0) } catch { return error }
                        return nil
                    }
                }
                return await group.reduce(into: [RunnerError?]()) { $0.append($1) }
            }
            try holds(outcomes.count { $0 == nil } == 1, "of several starts of a slot one succeeds: \(outcomes)")
            try holds(outcomes.count { $0?.code == .conflict } == 3, "the others conflict: \(outcomes)")
        }
        let runs = try await runner.runs(of: .scheduled, id: "s-race")
        try holds(runs.count == 2 && Set(runs.map(\.slot)) == [60, 120], "each slot has one run: \(runs)")
        let last = try await ended("s-race", 120)
        try await isResult(last, "2", "each ran once")
        try await clear("s-race")
    }

    private func stoppingKeepsTheEndAndTheResult() async throws {
        let program =
            CompletionContract.path + """
                import signal
                def stop(*_):
                    open(R, 'w').write('"stopped"')
                    sys.exit(5)
                signal.signal(signal.SIGTERM, stop)
                open(R, 'w').write('"up"')
                print('up', flush=True)
                while True: time.sleep(1)

                """
        let spec = try spec("s-stop", .scheduled, 60, program)
        try await runner.start(spec, attempt: 0)
        let running = try await up("s-stop")
        try await fails(.conflict, "the result of a run that goes on isn't read") {
            _ = try await runner.result(of: running, limit: CompletionContract.limit)
        }
        try await other.stop(running)
        let run = try one(try await runner.runs(of: .scheduled, id: "s-stop"), "what was stopped stays")
        try holds(run.reference == running.reference && run.exit?.code == 5, "with its own exit code: \(run)")
        try await isResult(run, "\"stopped\"", "and its result")
        // What has ended already is a success, and changes nothing.
        try await runner.stop(running)
        try await other.stop(run)
        try holds(try await ended("s-stop") == run, "stopping what has ended changes nothing")
        try await isConflict(runner, spec, "a stopped slot stays taken")
        try await runner.remove(run)
        // So is what is gone.
        try await runner.stop(run)
        try await fails(.gone, "a run that is gone has no result, not even none") {
            _ = try await runner.result(of: run, limit: CompletionContract.limit)
        }
        try await clear("s-stop")
    }

    private func whatIgnoresTheSignalIsKilledAndKept() async throws {
        let program =
            CompletionContract.path + """
                import signal
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                open(R, 'w').write('"left"')
                print('up', flush=True)
                while True: time.sleep(1)

                """
        try await runner.start(try spec("s-kill", .scheduled, 60, program), attempt: 0)
        let run = try await up("s-kill")
        try await runner.stop(run)
        let end = try one(try await other.runs(of: .scheduled, id: "s-kill"), "what was killed stays")
        try holds(end.exit?.code == 137, "a stop returns when the run has ended, by force: \(end)")
        try await isResult(end, "\"left\"", "with what it left")
        try await clear("s-kill")
    }

    /// The only run of a schedule, once its program has said that it handles signals.
    private func up(_ id: BotID) async throws -> ObservedRun {
        let run = try one(try await runner.runs(of: .scheduled, id: id), "a start makes one run")
        try await eventually(within: .seconds(30), "the program is up") {
            try await runner.lastLines(of: run, limit: 10).contains { $0.text == "up" }
        }
        return run
    }
}
