import Control
import Model
import TestSupport
import Testing

@testable import NATSBus

@Suite(.serialized) struct StreamChangeIntegrationTests {
    @Test func oldEventsOfAStreamDoNotComeBackOverAFilledStore() async throws {
        try await Bus.with(stream: true) { bus in
            for setting in ["old", "older"] { try await bus.publish("updated", "b1", setting: setting) }
            let store = MemoryStore()
            try await store.update(BotDocument(id: "b1", fields: ["config": ["setting": "of the database"]]))
            let runner = try TestRunner(bus.url, store: store, takeover: .zero)
            try await runner.usesStream()
            try await bus.publish("created", "b2")
            try await eventually { store.documents["b2"] != nil }
            #expect(store.setting("b1") == "of the database")
            await runner.stop()
        }
    }

    @Test func f34WhatWasSentBetweenTheEndOfVersion12AndTheFirstStartIsNotLost() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            for id: BotID in ["changed", "gone"] {
                try await store.update(BotDocument(id: id, fields: ["config": ["setting": "old"]]))
            }
            for setting in ["1", "2", "3"] { try await bus.publish("updated", "changed", setting: setting) }
            try await bus.publish("created", "new")
            try await bus.publish("updated", "gone")
            try await bus.publish("deleted", "gone")
            try await bus.publish("created", "short-lived")
            try await bus.publish("deleted", "short-lived")
            try await bus.platform.publish("the0.bot.created", Array("no JSON".utf8))
            try await bus.platform.publish("the0.bot-schedule.created", Bus.event("of another kind"))
            let runner = try TestRunner(bus.url, store: store)
            try await runner.listening()
            #expect(store.setting("changed") == "3")
            #expect(Set(store.documents.keys) == ["changed", "new"])
            // Each once, in its last state: none of those between can be seen, nor started.
            #expect(store.writes.count == 6)
            try await bus.publish("updated", "changed", setting: "4")
            try await eventually { store.setting("changed") == "4" }
            #expect(runner.events.counts == BotEventCounts(applied: 1))
            await runner.stop()
        }
    }

    @Test func aStoreThatIsDownAtTheFirstStartCostsNoEvent() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            try await store.update(BotDocument(id: "b1", fields: ["config": ["setting": "old"]]))
            try await bus.publish("updated", "b1", setting: "new")
            store.fail(.unavailable)
            let runner = try TestRunner(bus.url, store: store)
            try await eventually { runner.logs.count("the stream can't be used") > 0 }
            store.fail(nil)
            try await eventually { store.setting("b1") == "new" }
            try await runner.usesStream()
            await runner.stop()
        }
    }

    @Test func eventsFromBeforeTheFirstStartFillAnEmptyStore() async throws {
        try await Bus.with(stream: true) { bus in
            try await bus.publish("created", "b1")
            try await bus.publish("created", "b2")
            try await bus.publish("deleted", "b1")
            let runner = try TestRunner(bus.url)
            try await eventually { runner.store.writes.count == 3 }
            #expect(Array(runner.store.documents.keys) == ["b2"])
            await runner.stop()
        }
    }

    @Test func withoutAStreamTheQueueGroupIsUsed() async throws {
        try await Bus.with(stream: false) { bus in
            let store = MemoryStore()
            let runners = [try TestRunner(bus.url, store: store), try TestRunner(bus.url, store: store)]
            for runner in runners { try await runner.listening() }
            let start = ContinuousClock.now
            try await bus.publish("created", "b0")
            try await eventually { store.documents["b0"] != nil }
            #expect(ContinuousClock.now - start < .seconds(1))
            for index in 1..<100 { try await bus.publish("created", "b\(index)") }
            try await eventually { store.documents.count == 100 }
            #expect(store.writes.count == 100)
            let applied = runners.map(\.events.counts.applied)
            #expect(applied.allSatisfy { $0 > 0 }, "\(applied)")
            for runner in runners { await runner.stop() }
        }
    }

    @Test func f40NothingSentAfterTheFirstWakeIsMissed() async throws {
        try await Bus.with(stream: false) { bus in
            for round in 0..<5 {
                let runner = try TestRunner(bus.url)
                try await runner.listening()
                try await bus.publish("created", "b\(round)")
                try await eventually { runner.store.documents.count == 1 }
                await runner.stop()
            }
        }
    }

    @Test func f36WithoutAStreamTheOrderOfOneRunnerHolds() async throws {
        try await Bus.with(stream: false) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.listening()
            let link = try await bus.platform.link()
            for round in 0..<50 {
                for bot in 0..<10 {
                    let payload = Bus.event("b\(bot)", setting: "\(round)")
                    try await link.publish("the0.bot.created", payload)
                    try await link.publish("the0.bot.deleted", payload)
                }
            }
            try await eventually(within: .seconds(30)) { runner.store.writes.count >= 1000 }
            #expect(runner.store.documents.isEmpty)
            await runner.stop()
        }
    }

    @Test func whatDoesNotFitInMemoryIsCountedAndWakesEverything() async throws {
        try await Bus.with(stream: false) { bus in
            let runner = try TestRunner(bus.url, maxWaiting: 16)
            try await runner.listening()
            let passes = runner.passes
            runner.store.fail(.unavailable)
            for index in 0..<100 { try await bus.publish("created", "b\(index)") }
            try await eventually { runner.store.attempts >= 2 }
            runner.store.fail(nil)
            try await eventually { runner.events.counts.applied + runner.events.counts.dropped == 100 }
            #expect(runner.events.counts.dropped > 0)
            try await runner.passes(passes + 1)
            #expect(runner.logs.text.contains("events lost"))
            await runner.stop()
        }
    }

    @Test func anEventLargerThanTheServerAllowsIsRefusedAtItsSender() async throws {
        try await Bus.with(stream: false) { bus in
            let error = await #expect(throws: NATSError.self) {
                try await bus.platform.publish("the0.bot.created", [UInt8](repeating: 0x20, count: 2 * 1024 * 1024))
            }
            #expect(error?.code == .refused)
            await bus.platform.close()
            let closed = await #expect(throws: NATSError.self) {
                try await bus.platform.publish("the0.bot.created", [])
            }
            #expect(closed?.code == .closed)
        }
    }

    @Test func aStreamThatAppearsLaterIsUsedAndNothingComesTwice() async throws {
        try await Bus.with(stream: false) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.listening()
            try await bus.publish("created", "before")
            try await eventually { runner.store.documents["before"] != nil }
            try await bus.makeStream()
            try await bus.publish("created", "between")
            try await runner.usesStream()
            try await bus.publish("created", "after")
            try await eventually { runner.store.documents.count == 3 }
            #expect(runner.passes >= 2)
            await runner.stop()
            // Durable from now on.
            try await bus.publish("created", "down")
            let second = try TestRunner(bus.url, store: runner.store)
            try await eventually { runner.store.documents.count == 4 }
            #expect(runner.store.writes.filter { $0 == "before" }.count == 1)
            #expect(runner.store.writes.filter { $0 == "after" }.count == 1)
            await second.stop()
        }
    }

    @Test func aStreamMadeAnewCostsNoEvent() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url, poll: .seconds(2))
            try await runner.usesStream()
            try await bus.publish("created", "old")
            try await eventually { runner.store.documents["old"] != nil }
            for round in 1...3 {
                let passes = runner.passes
                try await bus.deleteStream()
                try await bus.makeStream()
                for index in 0..<5 { try await bus.publish("created", "new\(round).\(index)") }
                try await eventually { runner.store.documents.count == 1 + 5 * round }
                try await runner.passes(passes + 1)
            }
            #expect(runner.store.writes.count == 16)
            #expect(runner.logs.count("listening without a stream") == 0)
            await runner.stop()
        }
    }

    @Test func f34AStreamMadeAnewWhileNoRunnerIsUpCostsNoEvent() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let first = try TestRunner(bus.url, store: store)
            try await first.usesStream()
            try await bus.publish("created", "old")
            try await eventually { store.documents["old"] != nil }
            await first.stop()
            try await bus.publish("created", "gone with the stream")
            try await bus.deleteStream()
            try await bus.makeStream()
            try await bus.publish("created", "new")
            let second = try TestRunner(bus.url, store: store)
            try await eventually { store.documents["new"] != nil }
            #expect(store.writes == ["old", "new"])
            await second.stop()
        }
    }

    @Test func f34AConsumerDeletedWhileNoRunnerIsUpCostsNoEvent() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let first = try TestRunner(bus.url, store: store)
            try await first.usesStream()
            for index in 0..<3 { try await bus.publish("created", "old\(index)") }
            try await eventually { store.documents.count == 3 }
            await first.stop()
            try await bus.publish("created", "new")
            try await bus.deleteConsumer()
            let second = try TestRunner(bus.url, store: store)
            try await eventually { store.documents["new"] != nil }
            #expect(store.writes == ["old0", "old1", "old2", "new"])
            await second.stop()
        }
    }

    @Test func aStreamDeletedForGoodIsReplacedByTheQueueGroup() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            try await bus.deleteStream()
            try await eventually { runner.logs.text.contains("listening without a stream") }
            try await eventually {
                try await bus.publish("created", "b1")
                return runner.store.documents["b1"] != nil
            }
            await runner.stop()
        }
    }

    @Test func aConsumerDeletedByHandIsMadeAnewWhereItWas() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            for index in 0..<5 { try await bus.publish("created", "a\(index)") }
            try await eventually { runner.store.documents.count == 5 }
            try await bus.deleteConsumer()
            for index in 0..<5 { try await bus.publish("created", "b\(index)") }
            try await eventually { runner.store.documents.count == 10 }
            #expect(runner.store.writes.count == 10)
            await runner.stop()
        }
    }
}
