import Control
import Model
import Runtime
import Testing
import Util

@Suite struct PlanTests {
    static let now = Timestamp(secondsSince1970: 1_800_000_000)
    let spec: LaunchSpec
    let desired: Desired

    init() throws {
        spec = try LaunchSpecBuilder().spec(for: Executable(bot("b")))
        desired = .running(spec, .standard)
    }

    func run(
        _ reference: String = "r",
        hash: String? = nil,
        attempt: Int = 0,
        age: Duration = .seconds(60),
        phase: ObservedRun.Phase? = nil
    ) -> ObservedRun {
        let created = Self.now.advanced(by: .zero - age)
        return ObservedRun(
            reference: reference,
            id: "b",
            kind: .live,
            origin: .hash(hash ?? spec.hash),
            attempt: attempt,
            createdAt: created,
            phase: phase ?? .running(since: created)
        )
    }

    func exited(
        _ reference: String = "r",
        hash: String? = nil,
        attempt: Int = 0,
        lasted: Duration = .seconds(5),
        ago: Duration
    ) -> ObservedRun {
        let end = Self.now.advanced(by: .zero - ago)
        let exit = Exit(code: 3, startedAt: end.advanced(by: .zero - lasted), finishedAt: end)
        return run(reference, hash: hash, attempt: attempt, phase: .exited(exit))
    }

    func plan(_ desired: Desired, _ observed: [ObservedRun], failure: StartFailure? = nil) -> Plan {
        Plan(desired: desired, observed: observed, failure: failure, now: Self.now)
    }

    @Test func aBotThatShouldRunAndDoesNotIsStarted() {
        #expect(plan(desired, []).actions == [.start(spec, attempt: 0)])
    }

    @Test func f01AnAdoptedRunOfTheSameSpecificationIsLeftAlone() {
        let plan = plan(desired, [run(attempt: 4)])
        #expect(plan.actions.isEmpty)
        #expect(plan.status.name == "running")
        #expect(plan.recheckAt == nil)
    }

    @Test func f01AnEditMadeWhileNobodyWatchedIsSeenByTheHashTheRunCarries() {
        let old = run(hash: "of yesterday")
        #expect(plan(desired, [old]).actions == [.remove(old, .changed), .start(spec, attempt: 0)])
    }

    @Test func aDuplicateGoesAndTheOlderRunStays() {
        let older = run("a", age: .seconds(100))
        let newer = run("b", age: .seconds(50))
        #expect(plan(desired, [newer, older]).actions == [.remove(newer, .duplicate)])
    }

    @Test func aRunOfAnotherSpecificationGoesBesideTheRightOne() {
        let wrong = run("a", hash: "x", age: .seconds(1000))
        let right = run("b")
        #expect(plan(desired, [wrong, right]).actions == [.remove(wrong, .duplicate)])
    }

    @Test(arguments: [Desired.disabled, .absent])
    func whatShouldNotRunIsRemoved(desired: Desired) {
        let runs = [run("a"), exited("b", ago: .seconds(1))]
        let reason: RemovalReason = desired == .absent ? .deleted : .disabled
        #expect(plan(desired, runs).actions == runs.map { .remove($0, reason) })
        #expect(plan(desired, []).actions.isEmpty)
    }

    @Test func f65WhatCannotBeReadIsLeftAsItIs() {
        let error = DocumentError(id: "b", field: "config", problem: "is a number")
        #expect(plan(.unknown(error), [run("a"), run("b")]).actions.isEmpty)
        #expect(plan(.unknown(error), []).actions.isEmpty)
        #expect(plan(.unknown(error), [run("a")]).status == .invalid(error, isRunning: true))
    }

    @Test func f05ABotThatJustEndedWaitsAndIsStartedWhenDue() throws {
        let fresh = exited(attempt: 3, ago: .milliseconds(1))
        let waiting = plan(desired, [fresh])
        #expect(waiting.actions.isEmpty)
        let due = try #require(waiting.recheckAt)
        // The fourth start comes 8 s after the end, 20 % more or less.
        #expect(due > Self.now.advanced(by: .seconds(6)) && due < Self.now.advanced(by: .seconds(10)))
        let old = exited(attempt: 3, ago: .seconds(11))
        #expect(plan(desired, [old]).actions == [.start(spec, attempt: 4), .remove(old, .ended)])
    }

    @Test func f05HealthResetsTheDelay() {
        let healthy = exited(attempt: 9, lasted: .seconds(601), ago: .seconds(2))
        #expect(plan(desired, [healthy]).actions == [.start(spec, attempt: 1), .remove(healthy, .ended)])
    }

    @Test func aChangedBotIsNotHeldBackByTheEndOfItsOldSelf() {
        let old = exited(hash: "x", attempt: 9, ago: .milliseconds(1))
        #expect(plan(desired, [old]).actions == [.start(spec, attempt: 0), .remove(old, .ended)])
    }

    @Test func anEndInTheFutureOfOurClockDelaysNoLongerThanTheDelay() throws {
        let due = try #require(plan(desired, [exited(ago: .seconds(-86_400))]).recheckAt)
        #expect(due <= Self.now.advanced(by: .seconds(2)))
    }

    @Test func f14AnInterruptedStartIsRemoved() {
        let leftover = run(phase: .created)
        #expect(plan(desired, [leftover]).actions == [.start(spec, attempt: 0), .remove(leftover, .interrupted)])
        #expect(plan(.absent, [leftover]).actions == [.remove(leftover, .interrupted)])
    }

    @Test func aFailedStartWaitsUnlessTheBotChangesAndKeepsTheLastEnd() throws {
        let failure = StartFailure(hash: spec.hash, count: 2, at: Self.now, reason: "no image")
        let dead = exited(ago: .seconds(100))
        let waiting = plan(desired, [dead], failure: failure)
        #expect(waiting.actions.isEmpty)
        #expect(waiting.status.name == "start-failed")
        let stale = StartFailure(hash: "x", count: 9, at: Self.now, reason: "no image")
        #expect(plan(desired, [], failure: stale).actions == [.start(spec, attempt: 0)])
    }

    @Test func aLeavingRunKeepsItsSuccessorWaiting() {
        let leaving = run(phase: .leaving)
        #expect(plan(desired, [leaving]).actions.isEmpty)
        #expect(plan(desired, [leaving]).recheckAt != nil)
    }

    @Test func aRunOfVersion120IsAdoptedUntilItsBotChanges() {
        func legacy(_ config: JSONObject, image: String = "python:3.11-slim") -> ObservedRun {
            var run = run()
            run.origin = .legacy(LegacyLaunch(image: image, entrypoint: "main.py", config: .object(config)))
            return run
        }
        #expect(plan(desired, [legacy([:])]).actions.isEmpty)
        let changed = legacy(["symbol": "X"])
        #expect(plan(desired, [changed]).actions == [.remove(changed, .changed), .start(spec, attempt: 0)])
    }
}

/// A platform whose runs can be changed in place.
@Suite struct InPlacePlanTests {
    private let plain: PlanTests

    init() throws { plain = try PlanTests() }

    private func plan(_ desired: Desired, _ observed: [ObservedRun], failure: StartFailure? = nil) -> Plan {
        Plan(desired: desired, observed: observed, failure: failure, updatesInPlace: true, now: PlanTests.now)
    }

    @Test func aChangedRunIsUpdatedAndNotRemoved() {
        let old = plain.run(hash: "of yesterday")
        let found = plan(plain.desired, [old])
        #expect(found.actions == [.update(old, plain.spec)])
        #expect(found.status == .replacing)
        // Without the ability it is replaced as ever.
        #expect(plain.plan(plain.desired, [old]).actions == [.remove(old, .changed), .start(plain.spec, attempt: 0)])
    }

    @Test func ofTwoThatDifferTheOlderIsUpdatedAfterTheOtherIsGone() {
        let older = plain.run("a", hash: "x", age: .seconds(100))
        let newer = plain.run("b", hash: "y", age: .seconds(50))
        #expect(
            plan(plain.desired, [newer, older]).actions == [.remove(newer, .duplicate), .update(older, plain.spec)]
        )
    }

    @Test func anUpdateThatFailedWaits() {
        let old = plain.run(hash: "of yesterday")
        let failure = StartFailure(hash: plain.spec.hash, count: 3, at: PlanTests.now, reason: "no")
        let found = plan(plain.desired, [old], failure: failure)
        #expect(found.actions.isEmpty && found.status.name == "start-failed")
    }

    @Test func whatIsAsItShouldBeOrShouldNotBeIsTreatedAsEver() {
        #expect(plan(plain.desired, [plain.run()]).actions.isEmpty)
        #expect(plan(plain.desired, []).actions == [.start(plain.spec, attempt: 0)])
        let ended = plain.exited(hash: "x", ago: .seconds(9000))
        #expect(plan(plain.desired, [ended]) == plain.plan(plain.desired, [ended]))
        for desired in [Desired.disabled, .absent, .unknown(DocumentError(id: "b", field: "f", problem: "p"))] {
            #expect(plan(desired, [plain.run()]) == plain.plan(desired, [plain.run()]))
        }
    }
}
