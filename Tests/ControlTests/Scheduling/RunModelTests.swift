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

    /// However long a scheduler stood still in the middle of a start, while the trace of the run is kept.
    @Test(arguments: [[0, 0], [0, 1]])
    func f29AStartThatComesLateIsNoSecondOne(platforms: [Int]) {
        var model = RunModel(.init(startsInTime: false, keepsTraces: true, platforms: platforms))
        #expect(model.counterexample() == nil)
        #expect(model.states > 10_000, "\(model.states)")
    }
}
