import Testing

@testable import NATSBus

@Suite struct EventMemoryTests {
    @Test func firstConsumerDependsOnTheStore() {
        #expect(EventMemory().start(streamCreated: 1, connection: 1) == nil)
    }

    @Test func consumerLostFromItsStreamGoesOnWhereItWas() {
        let memory = EventMemory(position: StreamPosition(created: 7, sequence: 41))
        #expect(memory.start(streamCreated: 7, connection: 1) == .after(41))
    }

    @Test func streamMadeAnewIsReadFromItsBeginning() {
        let memory = EventMemory(position: StreamPosition(created: 7, sequence: 41))
        #expect(memory.start(streamCreated: 8, connection: 1) == .all)
    }

    @Test func streamHeardFromBeforeItWasThereBringsOnlyNews() {
        let memory = EventMemory(hasSeenAbsence: true, coveredConnection: 3)
        #expect(memory.start(streamCreated: 8, connection: 3) == .new)
        let later = EventMemory(
            position: StreamPosition(created: 7, sequence: 41),
            hasSeenAbsence: true,
            coveredConnection: 3
        )
        #expect(later.start(streamCreated: 8, connection: 3) == .new)
    }

    @Test func streamThatAppearedDuringAnOutageIsReadWhole() {
        let memory = EventMemory(hasSeenAbsence: true, coveredConnection: 3)
        #expect(memory.start(streamCreated: 8, connection: 4) == .all)
    }

    @Test func positionsAreKeptAsText() {
        let position = StreamPosition(created: 1_700_000_000_000_000_001, sequence: 41)
        #expect(StreamPosition(text: position.text) == position)
        for text in [
            "", "{}", "[]", #"{"stream_created": "1", "sequence": 1}"#, #"{"stream_created": 1, "sequence": -1}"#,
        ] {
            #expect(StreamPosition(text: text) == nil)
        }
    }

    @Test func patienceGrowsAndEnds() {
        #expect((0...9).map { EventMemory(streamFailures: $0).patience } == [1, 2, 4, 8, 16, 32, 32, 32, 32, 32])
    }
}
