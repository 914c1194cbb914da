import Model
import Testing
import Util

@testable import Control

@Suite struct ManualRunTests {
    private let now = Timestamp(secondsSince1970: 1_767_258_000)

    private func view(_ record: RunRecord, others: [RunRecord] = []) -> RunView {
        RunView(record: record, others: others, now: now, owner: "us", platform: "here")
    }

    @Test func whatSomebodyAsksForIsNobodysAndStartsAtOnce() throws {
        let policy = try SchedulePolicy(config: [:], id: "a")
        let run = RunRecord.manual("a", policy: policy, at: now)
        #expect(run.slot == Slot(1_767_258_000, trigger: .manual) && run.phase == .claimed && run.owner.isEmpty)
        #expect(view(run).step(RunPatience()) == .start)
        var foreign = run
        foreign.owner = "them"
        #expect(view(foreign).step(RunPatience()) == .wait(.seconds(10)))
    }

    @Test func itKeepsToTheSchedulesPolicy() throws {
        let strict = try SchedulePolicy(config: ["execution": ["timeout": "90s", "retries": 2]], id: "a")
        let run = RunRecord.manual("a", policy: strict, at: now)
        #expect(run.timeout == 90 && run.retries == 2 && run.isExclusive)
        let loose = try SchedulePolicy(config: ["execution": ["timeout": "0s", "overlap": "allow"]], id: "a")
        let free = RunRecord.manual("a", policy: loose, at: now)
        #expect(free.timeout == 0 && !free.isExclusive)
    }

    @Test func itWaitsForARunThatIsGoingAndIsGivenUpWhenNobodyComes() throws {
        let run = RunRecord.manual("a", policy: try SchedulePolicy(config: [:], id: "a"), at: now)
        var going = run
        going.slot = 1_767_257_000
        going.phase = .running
        #expect(view(run, others: [going]).step(RunPatience()) == .wait(.seconds(5)))
        var late = view(run)
        late.now = now.advanced(by: .seconds(901))
        guard case .note(let over) = late.step(RunPatience()) else {
            Issue.record("it isn't given up")
            return
        }
        #expect(over.outcome == .skipped && over.phase == .ended)
    }
}
