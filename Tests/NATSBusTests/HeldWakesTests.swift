import Control
import Model
import Synchronization
import Testing

@testable import NATSBus

@Suite struct HeldWakesTests {
    private final class Recorder: Sendable {
        let wakes = Mutex<[Wake]>([])
        var held: HeldWakes { HeldWakes { wake in self.wakes.withLock { $0.append(wake) } } }
        var taken: [Wake] { wakes.withLock { $0 } }
    }

    @Test func withoutABacklogABotIsWokenAtOnce() {
        let recorder = Recorder()
        recorder.held.add("a", hold: false)
        #expect(recorder.taken == [.bot("a")])
    }

    @Test func inABacklogABotIsWokenOnceAtItsEnd() {
        let recorder = Recorder()
        let held = recorder.held
        for _ in 0..<50 { held.add("a", hold: true) }
        #expect(recorder.taken.isEmpty)
        held.add("b", hold: false)
        #expect(Set(recorder.taken) == [.bot("a"), .bot("b")])
        #expect(recorder.taken.count == 2)
    }

    @Test func aLongBacklogDoesNotGrowForEver() {
        let recorder = Recorder()
        let held = recorder.held
        for index in 0..<HeldWakes.most { held.add(BotID("\(index)"), hold: true) }
        #expect(recorder.taken.count == HeldWakes.most)
    }
}
