import Model
import Synchronization
import TestSupport
import Testing

@testable import Control

/// How many runs start at once, and which is next.
@Suite struct StartLineTests {
    /// What happened, in order, and a gate that holds whoever is inside.
    private final class Journal: Sendable {
        private let state = Mutex<(order: [Slot], inside: Int, most: Int)>(([], 0, 0))

        var order: [Slot] { state.withLock { $0.order } }
        var inside: Int { state.withLock { $0.inside } }
        var most: Int { state.withLock { $0.most } }

        func enter(_ slot: Slot) {
            state.withLock { state in
                state.order.append(slot)
                state.inside += 1
                state.most = max(state.most, state.inside)
            }
        }

        func leave() { state.withLock { $0.inside -= 1 } }
    }

    /// Holds tasks until it is opened.
    private final class Gate: Sendable {
        private let stream: AsyncStream<Void>
        private let opener: AsyncStream<Void>.Continuation

        init() { (stream, opener) = AsyncStream.makeStream() }

        func pass() async { for await _ in stream {} }
        func open() { opener.finish() }
    }

    private static func settled(_ condition: @Sendable () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test func f33TheEarliestSlotIsNextAndNoMoreThanThePlacesAreInside() async {
        let line = StartLine(places: 1)
        let (journal, gate) = (Journal(), Gate())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await line.turn(of: 99) {
                    journal.enter(99)
                    await gate.pass()
                    journal.leave()
                }
            }
            await Self.settled { journal.inside == 1 }
            for (number, time) in [50, 10, 40, 20, 30].enumerated() {
                group.addTask {
                    _ = await line.turn(of: Slot(Int64(time))) {
                        journal.enter(Slot(Int64(time)))
                        journal.leave()
                    }
                }
                await Self.settled { line.waiting == number + 1 }
            }
            gate.open()
        }
        #expect(journal.order == [99, 10, 20, 30, 40, 50])
        #expect(journal.most == 1)
        #expect(line.waiting == 0)
    }

    @Test func oneSlotIsServedInTheOrderItWasAskedFor() async {
        let line = StartLine(places: 1)
        let (journal, gate) = (Journal(), Gate())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await line.turn(of: 1) {
                    journal.enter(99)
                    await gate.pass()
                }
            }
            await Self.settled { journal.inside == 1 }
            for number in 0..<20 {
                group.addTask { _ = await line.turn(of: 7) { journal.enter(Slot(Int64(number))) } }
                await Self.settled { line.waiting == number + 1 }
            }
            gate.open()
        }
        #expect(journal.order == [99] + (0..<20).map { Slot($0) })
    }

    @Test(arguments: [1, 2, 4, 7]) func f33FiveHundredDueAtOnceNeverExceedThePlaces(places: Int) async {
        let line = StartLine(places: places)
        let journal = Journal()
        let results = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let value = await line.turn(of: Slot(Int64(number % 50))) { () async -> Int in
                        journal.enter(Slot(Int64(number)))
                        for _ in 0..<3 { await Task.yield() }
                        journal.leave()
                        return number
                    }
                    return value == number
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count == 500)
        #expect(results.allSatisfy { $0 })
        #expect(Set(journal.order).count == 500)
        #expect(journal.most <= places)
        #expect(line.free == places)
    }

    @Test func placesBelowOneAreOne() async {
        for places in [0, -3] {
            let value = await StartLine(places: places).turn(of: 1) { 5 }
            #expect(value == 5)
        }
    }

    @Test func whoIsCancelledBeforeGetsNoTurnAndTakesNoPlace() async {
        let line = StartLine(places: 1)
        let value = await withTaskGroup(of: Int?.self) { group in
            group.cancelAll()
            group.addTask { await line.turn(of: 1) { 1 } }
            return await group.next() ?? 0
        }
        #expect(value == nil)
        #expect(line.free == 1)
        #expect(await line.turn(of: 1) { 2 } == 2)
    }

    @Test func whoIsCancelledWhileWaitingLeavesAtOnceAndTheNextIsServed() async {
        let line = StartLine(places: 1)
        let (journal, gate) = (Journal(), Gate())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await line.turn(of: 1) {
                    journal.enter(1)
                    await gate.pass()
                    journal.leave()
                }
            }
            await Self.settled { journal.inside == 1 }
            let isNil = await withTaskGroup(of: Bool.self) { inner in
                inner.addTask { await line.turn(of: 2) { 2 } == nil }
                await Self.settled { line.waiting == 1 }
                inner.cancelAll()
                return await inner.next() ?? false
            }
            #expect(isNil, "it doesn't wait for the place it no longer wants")
            group.addTask { _ = await line.turn(of: 3) { journal.enter(3) } }
            await Self.settled { line.waiting == 1 }
            gate.open()
        }
        #expect(journal.order == [1, 3])
        #expect(line.free == 1)
    }

    @Test func whoIsCancelledInsideKeepsThePlaceToTheEndAndGivesItBack() async {
        let line = StartLine(places: 1)
        let journal = Journal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await line.turn(of: 1) {
                    journal.enter(1)
                    while !Task.isCancelled { await Task.yield() }
                    journal.leave()
                }
            }
            await Self.settled { journal.inside == 1 }
            group.cancelAll()
        }
        #expect(line.free == 1)
        #expect(line.coming == 0)
    }

    /// Many tasks, cancelled at random: each comes back, no place is lost, nothing is remembered.
    @Test(arguments: 0..<20 as Range<UInt64>) func noContinuationAndNoPlaceIsLost(seed: UInt64) async {
        let line = StartLine(places: 3)
        let journal = Journal()
        var random = SeededGenerator(seed: seed)
        let count = 300
        let ends = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                let patience = Int.random(in: 0..<40, using: &random)
                let isImpatient = Bool.random(using: &random)
                group.addTask {
                    await withTaskGroup(of: Bool.self) { inner in
                        inner.addTask {
                            await line.turn(of: Slot(Int64(number % 17))) {
                                journal.enter(Slot(Int64(number)))
                                await Task.yield()
                                journal.leave()
                            } != nil
                        }
                        if isImpatient {
                            for _ in 0..<patience { await Task.yield() }
                            inner.cancelAll()
                        }
                        return await inner.next() ?? false
                    }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(ends.count == count)
        #expect(ends.filter { $0 }.count == journal.order.count)
        #expect(journal.most <= 3)
        #expect(line.free == 3)
        #expect(line.waiting == 0)
        #expect(line.coming == 0)
    }
}
