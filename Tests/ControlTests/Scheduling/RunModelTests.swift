import Testing

@testable import Control

/// Two schedulers over one run, in every order.
@Suite struct RunModelTests {
    @Test(arguments: [[0, 0], [0, 1]], [0, 1])
    func f28f29InEveryOrderOfStepsAndDeathsAnAttemptIsStartedAtMostOnce(platforms: [Int], retries: Int) {
        var model = RunModel(.init(platforms: platforms, retries: retries))
        let broken = model.counterexample()
        #expect(broken == nil)
        #expect(model.states > 10_000, "\(model.states)")
        #expect(retries > 0 || model.ends.contains("succeeded after 1"), "\(model.ends.sorted())")
    }

    /// What was seen unstarted is removed from nobody's start, not even by a runner that ends what has been started since.
    @Test(arguments: [[0, 0], [0, 1]], [true, false])
    func f29NothingHangsOnHowARunnerRemoves(platforms: [Int], startsInTime: Bool) {
        var model = RunModel(
            .init(startsInTime: startsInTime, removesOnlyWhatWasSeen: false, keepsTraces: true, platforms: platforms)
        )
        #expect(model.counterexample() == nil)
    }

    /// However long a scheduler stood still in the middle of a start, while the trace of the run is kept.
    @Test(arguments: [[0, 0], [0, 1]])
    func f29AStartThatComesLateIsNoSecondOne(platforms: [Int]) {
        var model = RunModel(.init(startsInTime: false, keepsTraces: true, platforms: platforms))
        #expect(model.counterexample() == nil)
        #expect(model.states > 10_000, "\(model.states)")
    }

    /// What the promise does hang on: runners that do for a slot what they may do for a live bot break it.
    @Test func f28f29ARunnerMustNotReplaceWhatEndedNorDiscardWhatItMayHaveStarted() {
        var replacing = RunModel(.init(startsInTime: false, replacesWhatEnded: true, keepsTraces: true))
        #expect(replacing.counterexample() != nil)
        var discarding = RunModel(.init(discardsWhenInDoubt: true))
        #expect(discarding.counterexample() != nil)
    }
}
