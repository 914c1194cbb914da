import Runtime
import Testing

@testable import DockerMode

@Suite struct SingleFlightTests {
    private final class Gate: Sendable {
        private let stream: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation
        init() { (stream, continuation) = AsyncStream.makeStream() }
        func open() { continuation.finish() }
        func wait() async { for await _ in stream {} }
    }

    private func waiting(_ flight: SingleFlight<String, Int>, _ count: Int) async {
        while flight.waiting("k") != count { await Task.yield() }
    }

    @Test func theWorkIsDoneOnceAndItsResultIsEverybodys() async throws {
        let flight = SingleFlight<String, Int>()
        let calls = Counter()
        let gate = Gate()
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await flight.run("k") {
                        calls.add()
                        await gate.wait()
                        return 7
                    }
                }
            }
            await waiting(flight, 49)
            gate.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: 7, count: 50))
        #expect(calls.value == 1)
        #expect(try await flight.run("k") { 8 } == 8)
    }

    @Test func aFailureIsEverybodysToo() async throws {
        let flight = SingleFlight<String, Int>()
        let (begun, gate) = (Gate(), Gate())
        let first = Task {
            try await flight.run("k") { () async throws(RunnerError) in
                begun.open()
                await gate.wait()
                throw RunnerError(.image, "no")
            }
        }
        await begun.wait()
        let second = Task { try await flight.run("k") { 2 } }
        await waiting(flight, 1)
        gate.open()
        for task in [first, second] {
            let error = await #expect(throws: RunnerError.self) { try await task.value }
            #expect(error?.code == .image)
        }
    }

    @Test func whenTheOneWhoWorksIsCancelledAnotherBeginsAnew() async throws {
        let flight = SingleFlight<String, Int>()
        let begun = Gate()
        let first = Task {
            try await flight.run("k") { () async throws(RunnerError) in
                begun.open()
                do { try await Task.sleep(for: .seconds(3600)) } catch { throw RunnerError(.cancelled, "cancelled") }
                return 1
            }
        }
        await begun.wait()
        let second = Task { try await flight.run("k") { 2 } }
        let third = Task { try await flight.run("k") { 3 } }
        await waiting(flight, 2)
        first.cancel()
        await #expect(throws: RunnerError.self) { try await first.value }
        let values = [try await second.value, try await third.value]
        #expect(values == [2, 2] || values == [3, 3] || values == [2, 3])
    }

    @Test func aWaiterThatIsCancelledLeavesTheOthersAlone() async throws {
        let flight = SingleFlight<String, Int>()
        let (begun, gate) = (Gate(), Gate())
        let first = Task {
            try await flight.run("k") {
                begun.open()
                await gate.wait()
                return 1
            }
        }
        await begun.wait()
        let second = Task { try await flight.run("k") { 2 } }
        let third = Task { try await flight.run("k") { 3 } }
        await waiting(flight, 2)
        second.cancel()
        let error = await #expect(throws: RunnerError.self) { try await second.value }
        #expect(error?.code == .cancelled)
        await waiting(flight, 1)
        gate.open()
        #expect(try await first.value == 1)
        #expect(try await third.value == 1)
    }
}
