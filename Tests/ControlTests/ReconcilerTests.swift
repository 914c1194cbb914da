import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import Control

@Suite(.timeLimit(.minutes(1))) struct ReconcilerTests {
    let clock: ManualClock
    let store: MemoryStore
    let runner: FakeRunner
    let passes = Watched<(good: Int, bad: Int)>((0, 0))
    let observations = Watched<[(id: BotID?, runs: [ObservedRun])]>([])
    let reconciler: Reconciler<ManualClock>

    var startGate: Gate { runner.startGate }
    var removeGate: Gate { runner.removeGate }

    init() { self.init(store: MemoryStore(), runner: nil, strangerGrace: .zero) }

    /// A reconciler, over a platform that is there already where one is given.
    init(store: MemoryStore, runner: FakeRunner?, strangerGrace: Duration = .seconds(300)) {
        let clock = ManualClock()
        let passes = passes
        let observations = observations
        let now: @Sendable () -> Timestamp = {
            Timestamp(secondsSince1970: 1_800_000_000).advanced(by: clock.now.offset)
        }
        let runner = runner ?? FakeRunner(now: now)
        self.clock = clock
        self.store = store
        self.runner = runner
        var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        logger.logLevel = .critical
        reconciler = Reconciler(
            store: store,
            runner: runner,
            builder: LaunchSpecBuilder(),
            options: ReconcilerOptions(
                parallelStarts: 2,
                strangerGrace: strangerGrace,
                onPass: { result in
                    passes.withLock { passes in
                        if case .success = result { passes.good += 1 } else { passes.bad += 1 }
                    }
                },
                onObserved: { id, runs in observations.withLock { $0.append((id, runs)) } }
            ),
            clock: clock,
            now: now,
            logger: logger
        )
    }

    /// Runs the reconciler while `body` goes on.
    func running(_ body: () async throws -> Void) async rethrows {
        async let loop: Void = reconciler.run()
        try await body()
        reconciler.queue.close()
        await loop
    }

    /// Makes a full pass happen and waits for its end.
    func pass() async {
        let before = passes.withLock { $0.good + $0.bad }
        reconciler.wake(.everything)
        await passes.until { $0.good + $0.bad > before }
    }

    @Test func theFirstPassStartsEveryEnabledBotOnce() async {
        for index in 0..<50 { store.put(bot(.init("bot \(index)"), enabled: index % 5 != 0)) }
        await running {
            await runner.state.until { $0.runs.count == 40 }
            await pass()
        }
        #expect(runner.state.withLock { $0.starts.count } == 40)
        #expect(runner.state.withLock { $0.mostOfOne } == 1)
        #expect(runner.state.withLock { $0.mostParallel } <= 2)
    }

    @Test func whatIsObservedIsToldAndWhatCannotBeReadIsNot() async {
        store.put(bot("a"))
        runner.put(id: "old", origin: .hash("h"))
        await running {
            await runner.state.until { $0.starts.count == 1 }
            await pass()
            reconciler.wake(.bot("a"))
            await observations.until { $0.contains { $0.id == "a" && $0.runs.map(\.id) == ["a"] } }
            let before = observations.withLock { $0.count }
            runner.state.withLock { $0.listError = RunnerError(.unavailable, "down") }
            await pass()
            #expect(observations.withLock { $0.count } == before)
        }
        let all = observations.withLock { $0.filter { $0.id == nil }.map { $0.runs.map(\.id).sorted() } }
        #expect(all.first == ["old"])
    }

    @Test func noMoreBotsAreStartedAtATimeThanAllowed() async {
        let ids = (0..<6).map { BotID("bot \($0)") }
        for id in ids {
            store.put(bot(id))
            startGate.close(id)
        }
        await running {
            await runner.state.until { $0.parallel == 2 }
            await pass()
            #expect(runner.state.withLock { $0.starts.count } == 2)
            for id in ids { startGate.open(id) }
            await runner.state.until { $0.runs.count == 6 }
        }
        #expect(runner.state.withLock { $0.mostParallel } == 2)
    }

    @Test func f01ARunThatIsAdoptedIsReplacedWhenItsBotWasEditedMeanwhile() async throws {
        let before = bot("a", config: ["symbol": "X"])
        let after = bot("a", config: ["symbol": "Y"])
        let old = try LaunchSpecBuilder().spec(for: Executable(before))
        let new = try LaunchSpecBuilder().spec(for: Executable(after))
        runner.put(id: "a", origin: .hash(old.hash))
        store.put(after)
        await running {
            await runner.state.until { $0.runs.values.map(\.origin) == [.hash(new.hash)] }
        }
        #expect(runner.state.withLock { $0.mostOfOne } == 1)
    }

    @Test func f02AStartThatTakesLongerThanAPassIsNotRepeated() async {
        store.put(bot("slow"))
        startGate.close("slow")
        await running {
            await startGate.arrival(of: "slow")
            for _ in 0..<3 {
                reconciler.wake(.bot("slow"))
                await pass()
            }
            startGate.open("slow")
            await runner.state.until { $0.runs.count == 1 }
            await pass()
        }
        #expect(runner.state.withLock { $0.starts.count } == 1)
    }

    @Test func f08FiveStubbornBotsDelayNoOther() async {
        for index in 0..<5 {
            let id = BotID("stubborn \(index)")
            runner.put(id: id, origin: .hash("x"))
            removeGate.close(id)
        }
        await running {
            for index in 0..<5 { await removeGate.arrival(of: .init("stubborn \(index)")) }
            store.put(bot("new"))
            reconciler.wake(.bot("new"))
            await runner.state.until { $0.runs.values.contains { $0.id == "new" } }
            for index in 0..<5 { removeGate.open(.init("stubborn \(index)")) }
            await runner.state.until { $0.runs.count == 1 }
        }
    }

    @Test func f13ANewRunIsOnlyStartedWhenTheOldOneIsKnownToBeGone() async {
        runner.put(id: "a", origin: .hash("old"))
        store.put(bot("a"))
        runner.state.withLock { $0.removeErrors["a"] = RunnerError(.notStopped, "the engine says no") }
        await running {
            await pass()
            await pass()
        }
        #expect(runner.state.withLock { $0.starts.isEmpty })
        #expect(runner.runningIDs == ["a"])
    }

    @Test func f60AnUnreadableEngineChangesNothing() async {
        store.put(bot("wanted"))
        runner.put(id: "unwanted", origin: .hash("x"))
        runner.state.withLock { $0.listError = RunnerError(.unavailable, "no answer") }
        await running {
            await passes.until { $0.bad == 1 }
            #expect(runner.state.withLock { $0.starts.isEmpty && $0.removals.isEmpty })
            runner.state.withLock { $0.listError = nil }
            reconciler.wake(.everything)
            await runner.state.until { $0.runs.values.map(\.id) == ["wanted"] }
        }
    }

    @Test func anUnreadableStoreChangesNothing() async {
        runner.put(id: "a", origin: .hash("x"))
        store.fail(StoreError(.unavailable, "no answer"))
        await running {
            await passes.until { $0.bad == 1 }
            reconciler.wake(.bot("a"))
            await pass()
        }
        #expect(runner.state.withLock { $0.starts.isEmpty && $0.removals.isEmpty })
    }

    @Test func f65ABrokenDocumentDisturbsNoOther() async {
        store.put(bot("good"))
        store.put(["id": "broken", "config": 7], as: "broken")
        runner.put(id: "broken", origin: .hash("x"))
        await running {
            await runner.state.until { $0.runs.values.contains { $0.id == "good" } }
            await pass()
        }
        #expect(runner.runningIDs == ["broken", "good"])
        #expect(reconciler.statuses.status(of: "broken")?.name == "invalid")
    }

    @Test func f03ANewReconcilerKnowsWhatRunsFromThePlatformAlone() async {
        for index in 0..<10 { store.put(bot(.init("bot \(index)"))) }
        await running { await runner.state.until { $0.runs.count == 10 } }
        let next = ReconcilerTests(store: store, runner: runner)
        await next.running { await next.pass() }
        #expect(runner.state.withLock { $0.starts.count } == 10)
        #expect(runner.state.withLock { $0.removals.isEmpty })
    }

    @Test func f05ABotThatCrashesIsStartedAgainAfterGrowingDelays() async {
        store.put(bot("a"))
        await running {
            for attempt in 1...4 {
                await runner.state.until { $0.starts.count == attempt && $0.running(of: "a") }
                runner.crash("a")
                reconciler.wake(.bot("a"))
                await pass()
                #expect(runner.state.withLock { $0.starts.count } == attempt)
                clock.advance(by: .seconds(1 << attempt))
            }
            await runner.state.until { $0.starts.count == 5 }
        }
        #expect(runner.state.withLock { $0.starts.map(\.attempt) } == [0, 1, 2, 3, 4])
    }

    @Test func f05AStartThatFailsIsTriedAgainAfterADelayAndAtOnceWhenTheBotChanges() async {
        store.put(bot("a"))
        runner.state.withLock { $0.startErrors["a"] = RunnerError(.image, "no such image") }
        await running {
            await runner.state.until { $0.starts.count == 1 }
            await pass()
            await pass()
            #expect(runner.state.withLock { $0.starts.count } == 1)
            clock.advance(by: .seconds(2))
            reconciler.wake(.bot("a"))
            await runner.state.until { $0.starts.count == 2 }
            runner.state.withLock { $0.startErrors["a"] = nil }
            store.put(bot("a", config: ["changed": true]))
            reconciler.wake(.bot("a"))
            await runner.state.until { $0.running(of: "a") }
        }
    }

    @Test func aStoreThatHoldsNothingOfWhatRunsIsNotBelievedAtOnce() async {
        let test = ReconcilerTests(store: MemoryStore(), runner: nil)
        for index in 0..<3 { test.runner.put(id: .init("bot \(index)"), origin: .hash("x")) }
        test.store.put(bot("stranger to them", enabled: false))
        await test.running {
            await test.pass()
            test.reconciler.wake(.bot("bot 0"))
            test.clock.advance(by: .seconds(299))
            await test.pass()
            #expect(test.runner.runningIDs.count == 3)
            test.clock.advance(by: .seconds(2))
            await test.pass()
            await test.runner.state.until { $0.runs.isEmpty }
        }
    }

    @Test func aBotThatIsDeletedUnderOurEyesIsStoppedAtOnceAlsoWhenItIsTheLast() async {
        let test = ReconcilerTests(store: MemoryStore(), runner: nil)
        test.store.put(bot("last"))
        await test.running {
            await test.runner.state.until { $0.running(of: "last") }
            test.store.remove("last")
            await test.pass()
            await test.runner.state.until { $0.runs.isEmpty }
        }
    }

    @Test func anOrphanBesideBotsThatAreKnownIsRemovedByTheFirstPass() async throws {
        let test = ReconcilerTests(store: MemoryStore(), runner: nil)
        let known = bot("known")
        test.store.put(known)
        test.runner.put(id: "known", origin: .hash(try LaunchSpecBuilder().spec(for: Executable(known)).hash))
        for index in 0..<3 { test.runner.put(id: .init("orphan \(index)"), origin: .hash("x")) }
        await test.running { await test.runner.state.until { $0.runs.count == 1 } }
        #expect(test.runner.runningIDs == ["known"])
    }

    @Test func aBotIsNotStoppedForASuccessorThatCannotBeStarted() async {
        runner.put(id: "a", origin: .hash("old"))
        store.put(bot("a"))
        runner.state.withLock { $0.prepareErrors["a"] = RunnerError(.codeUnavailable, "no object store") }
        await running {
            await pass()
            await pass()
            #expect(runner.runningIDs == ["a"])
            #expect(runner.state.withLock { $0.removals.isEmpty && $0.starts.isEmpty })
            runner.state.withLock { $0.prepareErrors["a"] = nil }
            clock.advance(by: .seconds(2))
            reconciler.wake(.bot("a"))
            await runner.state.until { $0.starts.count == 1 && $0.running(of: "a") }
        }
    }

    @Test func aStartThatOnlyAChangeCanHelpIsNotRepeatedSoon() async {
        store.put(bot("a"))
        runner.state.withLock { $0.startErrors["a"] = RunnerError(.codeInvalid, "no zip") }
        await running {
            await runner.state.until { $0.starts.count == 1 }
            await pass()
            clock.advance(by: .seconds(299))
            await pass()
            reconciler.wake(.bot("a"))
            await pass()
            #expect(runner.state.withLock { $0.starts.count } == 1)
            clock.advance(by: .seconds(2))
            reconciler.wake(.bot("a"))
            await runner.state.until { $0.starts.count == 2 }
        }
    }

    @Test func anEndInTheFutureOfOurClockIsFollowedByAStartAllTheSame() async {
        store.put(bot("a"))
        await running {
            await runner.state.until { $0.running(of: "a") }
            runner.crash("a", ahead: .seconds(3600))
            reconciler.wake(.bot("a"))
            await pass()
            #expect(runner.state.withLock { $0.starts.count } == 1)
            clock.advance(by: .seconds(3))
            reconciler.wake(.bot("a"))
            await runner.state.until { $0.starts.count == 2 }
        }
    }

    @Test func aSwitchedOffBotIsStoppedThoughItsDocumentIsBroken() async {
        runner.put(id: "a", origin: .hash("x"))
        store.put(["id": "a", "enabled": false, "config": [:], "custom": 7], as: "a")
        await running { await runner.state.until { $0.runs.isEmpty } }
    }

    @Test func f06BotsRunOnWhenTheReconcilerEnds() async {
        store.put(bot("a"))
        await running { await runner.state.until { $0.running(of: "a") } }
        #expect(runner.runningIDs == ["a"])
    }

    @Test func f62WhatRanBeforeIsAdoptedBeforeAnythingIsShown() async throws {
        let known = bot("a")
        store.put(known)
        runner.put(id: "a", origin: .hash(try LaunchSpecBuilder().spec(for: Executable(known)).hash))
        let since = Timestamp(secondsSince1970: 1_800_000_000)
        #expect(reconciler.statuses.all.isEmpty)
        await running {
            await pass()
            #expect(reconciler.statuses.status(of: "a") == .running(since: since))
        }
        #expect(runner.state.withLock { $0.starts.isEmpty })
    }

    @Test func theStatusOfABotThatIsGoneGoesWithItsRun() async {
        store.put(bot("a"))
        await running { await pass() }
        #expect(await reconciler.reconcile("a") == nil)
        #expect(reconciler.statuses.status(of: "a")?.name == "running")
        store.remove("a")
        #expect(await reconciler.reconcile("a") == nil)
        #expect(runner.runningIDs.isEmpty)
        #expect(reconciler.statuses.all.isEmpty)
    }

    @Test func removeAllTakesTheBotsAlong() async throws {
        for index in 0..<5 { runner.put(id: .init("bot \(index)"), origin: .hash("x")) }
        try await reconciler.removeAll()
        #expect(runner.runningIDs.isEmpty)
    }

    @Test func runOnceDoesWhatFollowsAndNamesWhatFailed() async throws {
        store.put(bot("good"))
        store.put(bot("bad"))
        runner.state.withLock { $0.startErrors["bad"] = RunnerError(.codeInvalid, "no zip") }
        let failed = try await reconciler.runOnce()
        #expect(runner.runningIDs == ["good"])
        #expect(failed == ["bad": "no zip"])
    }
}

extension FakeRunner.State {
    func running(of id: BotID) -> Bool { runs.values.contains { $0.id == id && $0.isRunning } }
}
