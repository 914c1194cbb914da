import Model
import Runtime
import Testing
import Util

@testable import Control

/// The next step of one run, by its record and what is seen of it.
@Suite struct RunPlanTests {
    static let patience = RunPatience()
    static let slot: Int64 = 1_800_000_000
    static let due = Timestamp(secondsSince1970: slot)
    static let startBy = due.advanced(by: .seconds(60))
    static let tooLate = startBy.advanced(by: patience.late + .nanoseconds(1))

    static func record(_ phase: RunRecord.Phase, _ change: (inout RunRecord) -> Void = { _ in }) -> RunRecord {
        var run = RunRecord(id: "s", slot: Slot(slot), owner: "me", claimedAt: due, notBefore: due, startBy: startBy)
        run.phase = phase
        if phase != .claimed { run.platform = "here" }
        if phase == .running { run.startedAt = due }
        if phase == .ended {
            run.endedAt = due
            run.outcome = .succeeded
        }
        change(&run)
        return run
    }

    static func observed(_ phase: ObservedRun.Phase, attempt: Int = 0) -> ObservedRun {
        ObservedRun(
            reference: "c",
            id: "s",
            kind: .scheduled,
            slot: Slot(slot),
            origin: .hash("h"),
            attempt: attempt,
            createdAt: due,
            phase: phase
        )
    }

    static func exit(_ code: Int = 0, outOfMemory: Bool = false) -> Exit {
        Exit(code: code, outOfMemory: outOfMemory, startedAt: due, finishedAt: due.advanced(by: .seconds(9)))
    }

    static func step(
        _ record: RunRecord,
        _ observed: ObservedRun? = nil,
        others: [RunRecord] = [],
        now: Timestamp = due,
        _ change: (inout RunView) -> Void = { _ in }
    ) -> RunStep {
        var view = RunView(record: record, observed: observed, others: others, now: now, owner: "me", platform: "here")
        change(&view)
        return view.step(patience)
    }

    static func noted(_ step: RunStep) -> RunRecord? {
        guard case .note(let run) = step else { return nil }
        return run
    }

    /// A run of the same schedule for a slot so many seconds later.
    static func other(_ seconds: Int64, _ phase: RunRecord.Phase, isExclusive: Bool = true) -> RunRecord {
        var run = RunRecord(
            id: "s",
            slot: Slot(slot + seconds),
            owner: "me",
            claimedAt: due,
            notBefore: due,
            startBy: startBy
        )
        run.phase = phase
        run.isExclusive = isExclusive
        return run
    }

    static let phases: [ObservedRun.Phase] = [.created, .running(since: due), .exited(exit()), .leaving]

    // MARK: Claimed

    @Test func aClaimOfOursIsStartedWhenItsTimeHasComeAndNotBefore() {
        let early = Self.due.advanced(by: .milliseconds(-1500))
        #expect(Self.step(Self.record(.claimed), now: early) == .wait(.milliseconds(1500)))
        for now in [Self.due, Self.startBy, Self.startBy.advanced(by: Self.patience.late)] {
            #expect(Self.step(Self.record(.claimed), now: now) == .start)
        }
    }

    @Test func aClaimOfAnotherIsLeftToItForAWhile() {
        let theirs = Self.record(.claimed) { $0.owner = "other" }
        #expect(Self.step(theirs) == .wait(.seconds(10)))
        #expect(Self.step(theirs) { $0.unchanged = .seconds(9) } == .wait(.seconds(1)))
        #expect(Self.step(theirs) { $0.unchanged = .seconds(10) } == .start)
    }

    @Test func aClaimThatIsTooLateIsPassedOver() throws {
        for owner in ["me", "other"] {
            let run = Self.record(.claimed) { $0.owner = owner }
            let next = try #require(Self.noted(Self.step(run, now: Self.tooLate)))
            #expect(next.phase == .ended && next.outcome == .skipped && next.result == RunRecord.Result.none)
            #expect(next.revision == run.revision + 1)
            #expect(next.reason.contains("couldn't be started by"))
            #expect(next.endedAt == Self.tooLate)
        }
        let blocked = Self.step(Self.record(.claimed), others: [Self.other(-60, .running)], now: Self.tooLate)
        #expect(Self.noted(blocked)?.reason.contains("still going") == true)
    }

    @Test func aFurtherAttemptThatIsTooLateIsAFailureAndNotASlotPassedOver() throws {
        let run = Self.record(.claimed) { run in
            (run.attempt, run.retries, run.exitCode, run.startedAt) = (1, 2, 3, Self.due)
        }
        let next = try #require(Self.noted(Self.step(run, now: Self.tooLate)))
        #expect(next.phase == .ended)
        #expect(next.outcome == .failed, "it ran once: nobody may read that nothing was started")
        #expect(next.exitCode == 3)
        #expect(!next.isTriedAgain)
    }

    @Test(arguments: [(-60, true), (60, false)])
    func ofTwoClaimsTheEarlierSlotGoesFirst(seconds: Int64, isInTheWay: Bool) {
        let step = Self.step(Self.record(.claimed), others: [Self.other(seconds, .claimed)])
        #expect(step == (isInTheWay ? .wait(.seconds(5)) : .start))
    }

    @Test func whatGoesIsInTheWayUnlessBothMayGoBesideOthers() {
        for phase in [RunRecord.Phase.starting, .running] {
            for seconds: Int64 in [-60, 60] {
                for (mine, theirs) in [(true, true), (true, false), (false, true), (false, false)] {
                    let run = Self.record(.claimed) { $0.isExclusive = mine }
                    let step = Self.step(run, others: [Self.other(seconds, phase, isExclusive: theirs)])
                    #expect(step == (mine || theirs ? .wait(.seconds(5)) : .start))
                }
            }
        }
        #expect(Self.step(Self.record(.claimed), others: [Self.other(-60, .ended)]) == .start)
    }

    @Test func aClaimOfWhichSomethingRunsHasBegun() throws {
        let since = Self.due.advanced(by: .seconds(3))
        for phase in [ObservedRun.Phase.running(since: since), .exited(Self.exit())] {
            let run = Self.record(.claimed) { $0.owner = "other" }
            let next = try #require(Self.noted(Self.step(run, Self.observed(phase), now: Self.tooLate)))
            #expect(next.phase == .running && next.owner == "me" && next.platform == "here")
            #expect(next.startedAt == (phase == .running(since: since) ? since : Self.due))
        }
    }

    /// The record may have been announced between its reading and the platform's: then that is what is just being started.
    @Test func f29WhatWasMadeAndNotStartedIsLeftToAnAnnouncedStart() {
        for attempt in [0, 1] {
            let run = Self.record(.claimed) { $0.attempt = attempt }
            #expect(Self.step(run, Self.observed(.created)) == .start)
        }
        #expect(Self.step(Self.record(.claimed), Self.observed(.leaving)) == .wait(.seconds(1)))
    }

    @Test func aClaimWhoseSuccessorIsDueIsNeverStarted() throws {
        for attempt in [0, 1] {
            let run = Self.record(.claimed) { run in
                (run.stop, run.attempt, run.retries) = (.replaced, attempt, 3)
                run.notBefore = Self.due.advanced(by: .seconds(300))
            }
            let next = try #require(Self.noted(Self.step(run, others: [Self.other(60, .claimed)])))
            #expect(next.phase == .ended)
            #expect(next.outcome == (attempt == 0 ? .skipped : .replaced))
            #expect(!next.reason.isEmpty)
            #expect(!next.isTriedAgain)
        }
    }

    // MARK: Starting

    @Test func aStartOfWhichSomethingRunsHasBegunWhoeversItIs() {
        for owner in ["me", "other"] {
            for platform in ["here", "there"] {
                let run = Self.record(.starting) { ($0.owner, $0.platform) = (owner, platform) }
                for phase in [ObservedRun.Phase.running(since: Self.due), .exited(Self.exit())] {
                    let next = Self.noted(Self.step(run, Self.observed(phase)))
                    #expect(next?.phase == .running)
                }
                #expect(Self.step(run, Self.observed(.leaving)) == .wait(.seconds(1)))
            }
        }
    }

    @Test func f28AStartOfOursThatLeftNothingIsAClaimAgain() {
        let next = Self.noted(Self.step(Self.record(.starting)))
        #expect(next?.phase == .claimed)
        #expect(next?.takeovers == 0)
    }

    @Test func f28AStartOfAnotherIsLeftToItForLongerThanAStartTakes() throws {
        let theirs = Self.record(.starting) { $0.owner = "other" }
        for seen in [nil, Self.observed(.created)] {
            #expect(Self.step(theirs, seen) == .wait(.seconds(90)))
            #expect(Self.step(theirs, seen) { $0.unchanged = .seconds(89) } == .wait(.seconds(1)))
            let next = try #require(Self.noted(Self.step(theirs, seen) { $0.unchanged = .seconds(90) }))
            #expect(next.phase == .claimed && next.takeovers == 1 && next.owner == "me")
        }
    }

    @Test func f28AStartThatNobodyCameBackToIsGivenUpWhenItIsTooLate() {
        let theirs = Self.record(.starting) { $0.owner = "other" }
        let step = Self.step(theirs, now: Self.tooLate) { $0.unchanged = .seconds(90) }
        #expect(Self.noted(step)?.outcome == .notStarted)
        #expect(Self.noted(Self.step(Self.record(.starting), now: Self.tooLate))?.outcome == .notStarted)
    }

    @Test func f29AStartElsewhereIsNeverTakenOverAndLostWhenItIsTooLate() {
        for seen in [nil, Self.observed(.created)] {
            let theirs = Self.record(.starting) { ($0.owner, $0.platform) = ("other", "there") }
            #expect(Self.step(theirs, seen) { $0.unchanged = .seconds(9999) } == .wait(.seconds(30)))
            #expect(Self.step(theirs, seen, now: Self.tooLate) { $0.unchanged = .seconds(89) } == .wait(.seconds(30)))
            let step = Self.step(theirs, seen, now: Self.tooLate) { $0.unchanged = .seconds(90) }
            #expect(Self.noted(step)?.outcome == .lost)
        }
    }

    @Test func f29AStartThatWasTakenOverStaysOnItsPlatform() {
        let theirs = Self.record(.starting) { $0.owner = "other" }
        let next = Self.noted(Self.step(theirs) { $0.unchanged = .seconds(90) })
        #expect(next?.platform == "here", "whoever began may still come back, and only here its name is taken then")
        let pinned = Self.record(.claimed) { ($0.owner, $0.platform, $0.takeovers) = ("other", "there", 1) }
        #expect(Self.step(pinned) { $0.unchanged = .seconds(9999) } != .start)
        #expect(Self.noted(Self.step(pinned, now: Self.tooLate))?.phase == .ended)
        #expect(Self.step(pinned) { ($0.unchanged, $0.platform) = (.seconds(10), "there") } == .start)
    }

    // MARK: Running

    @Test func aRunIsWaitedForAsLongAsItMayTake() {
        let endless = Self.record(.running)
        #expect(Self.step(endless, Self.observed(.running(since: Self.due))) == .wait(.seconds(3600)))
        let limited = Self.record(.running) { $0.timeout = 100 }
        let seen = Self.observed(.running(since: Self.due))
        #expect(Self.step(limited, seen) { $0.running = .seconds(40) } == .wait(.seconds(60)))
    }

    @Test func f32AHungRunIsNotedAndThenStopped() throws {
        let seen = Self.observed(.running(since: Self.due))
        let limited = Self.record(.running) { $0.timeout = 100 }
        let next = try #require(Self.noted(Self.step(limited, seen) { $0.running = .seconds(100) }))
        #expect(next.stop == .timeout && next.phase == .running)
        #expect(Self.step(next, seen) == .stop(seen))
        let ended = Self.noted(Self.step(next, Self.observed(.exited(Self.exit(137)))))
        #expect(ended?.outcome == .timedOut && ended?.exitCode == 137)
    }

    @Test func f32AHungRunThatWasGivenUpIsStoppedAllTheSame() {
        let seen = Self.observed(.running(since: Self.due))
        let given = Self.record(.ended) {
            ($0.outcome, $0.result, $0.timeout) = (.notStarted, RunRecord.Result.none, 100)
        }
        #expect(Self.step(given, seen) { $0.running = .seconds(99) } == .wait(.seconds(1)))
        #expect(Self.step(given, seen) { $0.running = .seconds(100) } == .stop(seen))
    }

    @Test(
        arguments: [
            (0, false, nil, .succeeded), (1, false, nil, .failed), (137, true, nil, .outOfMemory),
            (0, true, nil, .outOfMemory), (0, false, .timeout, .timedOut), (143, false, .replaced, .replaced),
            (143, false, .shutdown, .stopped), (137, true, .timeout, .timedOut),
        ] as [(Int, Bool, RunRecord.Stop?, RunRecord.Outcome)]
    )
    func anEndIsRecordedAsWhatItWas(
        code: Int,
        outOfMemory: Bool,
        stop: RunRecord.Stop?,
        outcome: RunRecord.Outcome
    ) throws {
        let run = Self.record(.running) { $0.stop = stop }
        let exit = Self.exit(code, outOfMemory: outOfMemory)
        let next = try #require(Self.noted(Self.step(run, Self.observed(.exited(exit)))))
        #expect(next.phase == .ended && next.outcome == outcome && next.exitCode == code)
        #expect(next.startedAt == exit.startedAt && next.endedAt == exit.finishedAt)
        #expect(next.result == nil, "its result is still to be settled")
    }

    @Test func whatVanishedIsLostAfterTheListMayLag() {
        let run = Self.record(.running)
        #expect(Self.step(run) { $0.missing = .seconds(4) } == .wait(.seconds(1)))
        #expect(Self.noted(Self.step(run) { $0.missing = .seconds(5) })?.outcome == .lost)
    }

    @Test func whatRunsElsewhereIsGivenUpOnlyAfterItsTimeAndSilence() {
        for (timeout, limit) in [(100, 700), (0, 87_000)] as [(Int64, Int64)] {
            let run = Self.record(.running) { ($0.platform, $0.timeout) = ("there", timeout) }
            let end = Self.due.advanced(by: .seconds(limit))
            #expect(Self.step(run, now: end) { $0.unchanged = .seconds(9999) } == .wait(.seconds(60)))
            let after = end.advanced(by: .nanoseconds(1))
            #expect(Self.step(run, now: after) { $0.unchanged = .seconds(89) } == .wait(.seconds(60)))
            #expect(Self.noted(Self.step(run, now: after) { $0.unchanged = .seconds(90) })?.outcome == .lost)
        }
    }

    @Test func whatIsMissingIsReckonedFromTheRecordsLastChange() {
        var memory = SchedulerMemory()
        _ = memory.see(Self.record(.claimed), nil, now: Self.due, at: .seconds(1))
        let started = Self.record(.claimed).next { $0.phase = .running }
        // The list that was read a moment before the start has nothing of it.
        let seen = memory.see(started, nil, now: Self.due, at: .seconds(1000))
        #expect(seen.missing == .zero, "it wasn't missing while it hadn't been started")
    }
}
