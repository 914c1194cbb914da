import Model
import Runtime
import Testing
import Util

@testable import Control

extension RunPlanTests {
    // MARK: A further attempt

    @Test(arguments: [RunRecord.Phase.claimed, .starting, .running, .ended], ["here", "there"])
    func f29WhatAnEarlierAttemptLeftIsNeverTakenForThisOne(phase: RunRecord.Phase, platform: String) {
        let run = Self.record(phase) { run in
            (run.attempt, run.retries, run.owner) = (1, 2, "other")
            run.platform = phase == .claimed ? nil : platform
        }
        let seen = Self.observed(.exited(Self.exit(1)), attempt: 0)
        #expect(Self.step(run, seen) { $0.unchanged = .seconds(9999) } == .remove(seen))
        // It began after it had been given up: it isn't killed for its successor.
        guard case .wait = Self.step(run, Self.observed(.running(since: Self.due), attempt: 0)) else {
            Issue.record("an earlier attempt that runs is not waited for")
            return
        }
        #expect(Self.step(run, Self.observed(.leaving, attempt: 0)) == .wait(.seconds(1)))
    }

    @Test func aFurtherAttemptFollowsAFailureWhileThereAreAny() {
        for outcome in RunRecord.Outcome.allCases {
            for stop in [nil, .timeout, .replaced, .shutdown] as [RunRecord.Stop?] {
                for attempt in 0...2 {
                    let run = Self.record(.ended) { run in
                        (run.outcome, run.stop, run.attempt, run.retries) = (outcome, stop, attempt, 2)
                    }
                    let fails = [.failed, .outOfMemory, .timedOut].contains(outcome)
                    let isOurs = stop == nil || stop == .timeout
                    #expect(run.isTriedAgain == (fails && isOurs && attempt < 2))
                }
            }
        }
    }

    @Test func aFurtherAttemptIsAClaimWithTimeToBegin() {
        let failed = Self.record(.ended) { run in
            (run.outcome, run.stop, run.retries, run.reason) = (.timedOut, .timeout, 3, "r")
        }
        let now = Self.startBy.advanced(by: .seconds(5000))
        let next = failed.nextAttempt(at: now, after: .seconds(10))
        #expect(next.phase == .claimed && next.attempt == 1 && next.outcome == nil && next.stop == nil)
        #expect(next.platform == nil && next.reason.isEmpty)
        #expect(next.notBefore == now.advanced(by: .seconds(10)))
        #expect(next.startBy == now.advanced(by: .seconds(70)))
        #expect(failed.nextAttempt(at: Self.due, after: .zero).startBy == Self.startBy)
    }

    // MARK: Ended

    @Test func whatHasEndedIsSettledThenRemoved() {
        let seen = Self.observed(.exited(Self.exit()))
        #expect(Self.step(Self.record(.ended), seen) == .settle(seen))
        let settled = Self.record(.ended) { $0.result = .stored }
        #expect(Self.step(settled, seen) == .remove(seen))
        #expect(Self.step(settled) == .nothing)
        #expect(Self.step(Self.record(.ended)) == .nothing)
        #expect(Self.step(settled, Self.observed(.leaving)) == .wait(.seconds(1)))
    }

    @Test func f28TheTraceOfWhatWasTakenOverStays() {
        let seen = Self.observed(.exited(Self.exit()))
        let run = Self.record(.ended) { ($0.result, $0.takeovers) = (.stored, 1) }
        #expect(Self.step(run, seen, now: Self.due.advanced(by: .seconds(3599))) == .wait(.seconds(1)))
        #expect(Self.step(run, seen, now: Self.due.advanced(by: .seconds(3600))) == .remove(seen))
    }

    // MARK: Every combination

    /// Promises that hold whatever is seen whenever by whom.
    @Test func f29InEveryCombinationNothingIsStartedBesideATraceAndNothingThatRunsIsRemoved() {
        let times = [Self.due.advanced(by: .seconds(-9)), Self.due, Self.startBy, Self.tooLate]
        let seen: [ObservedRun?] =
            [nil]
            + Self.phases.flatMap { phase in
                (0...2).map { Self.observed(phase, attempt: $0) }
            }
        var count = 0
        for phase in RunRecord.Phase.allCases {
            for (owner, platform) in [("me", "here"), ("other", "here"), ("other", "there"), ("me", nil)] {
                for stop in [nil, .timeout, .replaced, .shutdown] as [RunRecord.Stop?] {
                    for (observed, now) in seen.flatMap({ one in times.map { (one, $0) } }) {
                        for elapsed in [Duration.zero, .seconds(10), .seconds(90), .seconds(99_999)] {
                            let run = Self.record(phase) { run in
                                (run.owner, run.stop, run.attempt, run.retries) = (owner, stop, 1, 2)
                                run.platform = platform
                                run.timeout = 50
                            }
                            let step = Self.step(run, observed, now: now) { view in
                                (view.unchanged, view.running, view.missing) = (elapsed, elapsed, elapsed)
                            }
                            check(step, of: run, observed)
                            count += 1
                        }
                    }
                }
            }
        }
        #expect(count == 4 * 4 * 4 * 13 * 4 * 4)
    }

    private func check(_ step: RunStep, of run: RunRecord, _ observed: ObservedRun?) {
        switch step {
        case .start:
            #expect(run.phase == .claimed && (observed == nil || observed?.phase == .created) && run.stop != .replaced)
        case .note(let next):
            #expect(next.revision == run.revision + 1)
            #expect(next != run && next.key == run.key && next.attempt == run.attempt)
            #expect(run.phase != .ended)
            if next.phase == .ended { #expect(next.outcome != nil && next.endedAt != nil) }
            if next.phase == .running, run.phase != .running { #expect(next.startedAt != nil && next.platform != nil) }
            if next.phase == .claimed { #expect(run.phase == .starting && observed?.isRunning != true) }
        case .stop(let target): #expect(target == observed && target.isRunning)
        case .remove(let target), .settle(let target):
            #expect(target == observed && !target.isRunning && target.phase != .leaving)
        case .wait(let delay): #expect(delay > .zero, "\(run.phase)")
        case .nothing: #expect(run.phase == .ended && observed == nil)
        }
    }
}
