import Control
import Model
import TestSupport
import Testing

@testable import NATSBus

@Suite(.serialized) struct StreamIntegrationTests {
    @Test func f09AnEventWakesItsBotWithinASecond() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            let start = ContinuousClock.now
            try await bus.publish("created", "b1")
            try await eventually { runner.wakes.contains(.bot("b1")) }
            #expect(ContinuousClock.now - start < .seconds(1))
            #expect(runner.store.setting("b1") == "x")
            await runner.stop()
        }
    }

    @Test func f34EventsSentWhileNoRunnerIsUpArriveLater() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let first = try TestRunner(bus.url, store: store)
            try await first.usesStream()
            try await bus.publish("created", "before")
            try await eventually { store.documents["before"] != nil }
            await first.stop()
            for index in 0..<20 { try await bus.publish("created", "down\(index)") }
            try await bus.publish("deleted", "before")
            let second = try TestRunner(bus.url, store: store)
            try await eventually { store.documents.count == 20 && store.documents["before"] == nil }
            try await eventually { second.wakes.contains(.bot("before")) && second.wakes.contains(.bot("down19")) }
            #expect(store.writes.count == 22)
            await second.stop()
        }
    }

    @Test func f36DeletionsAreNotOvertakenByTheirCreations() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            let link = try await bus.platform.link()
            for round in 0..<100 {
                for bot in 0..<10 {
                    let payload = Bus.event("b\(bot)", setting: "\(round)")
                    try await link.publish("the0.bot.created", payload)
                    try await link.publish("the0.bot.deleted", payload)
                }
            }
            try await eventually(within: .seconds(60)) { runner.store.writes.count >= 2000 }
            #expect(runner.store.documents.isEmpty)
            #expect(runner.events.counts == BotEventCounts(applied: 2000))
            await runner.stop()
        }
    }

    @Test func f38NothingOfAPayloadIsLogged() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            try await bus.publish("created", "good", setting: "SECRETVALUE")
            for text in [
                "SECRETVALUE", #"{"id": "bad", "config": "SECRETVALUE"}"#, #"{"config": {"apiKey": "SECRETVALUE"}}"#,
                #"{"id": "bad", "config": {"apiKey": "SECRETVALUE"#,
            ] { try await bus.platform.publish("the0.bot.updated", Array(text.utf8)) }
            runner.store.fail(.unavailable)
            try await bus.publish("updated", "late", setting: "SECRETVALUE")
            try await eventually { runner.store.attempts >= 3 }
            runner.store.fail(nil)
            try await eventually { runner.store.setting("late") == "SECRETVALUE" }
            #expect(runner.events.counts.rejected == 4)
            #expect(runner.logs.count("event given up") == 4)
            #expect(!runner.logs.text.contains("SECRET"))
            await runner.stop()
        }
    }

    @Test func f39AnUnchangedUpdateChangesNothing() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            try await bus.publish("created", "b1")
            try await eventually { runner.store.documents["b1"] != nil }
            let before = runner.store.documents
            for _ in 0..<3 { try await bus.publish("updated", "b1") }
            try await eventually { runner.store.writes.count == 4 }
            #expect(runner.store.documents == before)
            #expect(runner.events.counts == BotEventCounts(applied: 4))
            await runner.stop()
        }
    }

    @Test func anUnusableEventIsReportedOnceAndHoldsNobodyUp() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let runner = try TestRunner(bus.url, store: store)
            try await runner.usesStream()
            try await bus.platform.publish("the0.bot.created", Array("no JSON".utf8))
            try await bus.publish("created", "after")
            try await eventually { store.documents["after"] != nil }
            await runner.stop()
            #expect(runner.logs.count("event given up") == 1)
            #expect(runner.logs.text.contains("\"sequence\": 1") || runner.logs.text.contains("sequence: 1"))
            let second = try TestRunner(bus.url, store: store)
            try await second.usesStream()
            try await bus.publish("created", "later")
            try await eventually { store.documents["later"] != nil }
            #expect(second.events.counts == BotEventCounts(applied: 1))
            await second.stop()
        }
    }

    @Test func aStoreThatIsDownCostsNoEventAndNoOrder() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            runner.store.fail(.unavailable)
            for setting in ["1", "2", "3"] { try await bus.publish("updated", "b1", setting: setting) }
            try await bus.publish("deleted", "b2")
            try await bus.publish("created", "b2")
            try await eventually { runner.store.attempts >= 3 }
            #expect(runner.store.documents.isEmpty)
            runner.store.fail(nil)
            try await eventually(within: .seconds(20)) { runner.store.documents["b2"] != nil }
            #expect(runner.store.setting("b1") == "3")
            #expect(runner.store.writes == ["b1", "b1", "b1", "b2", "b2"])
            await runner.stop()
        }
    }

    @Test func whatTheStoreRefusesIsGivenUpAndTheNextComes() async throws {
        try await Bus.with(stream: true) { bus in
            let runner = try TestRunner(bus.url)
            try await runner.usesStream()
            runner.store.fail(.refused)
            try await bus.publish("updated", "refused")
            try await eventually(within: .seconds(20)) { runner.events.counts.rejected == 1 }
            runner.store.fail(nil)
            try await bus.publish("updated", "next")
            try await eventually { runner.store.documents["next"] != nil }
            #expect(runner.store.documents["refused"] == nil)
            #expect(runner.store.attempts == 6)
            await runner.stop()
        }
    }

    @Test func twoRunnersShareTheEventsInOrder() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let runners = [try TestRunner(bus.url, store: store), try TestRunner(bus.url, store: store)]
            for runner in runners { try await runner.usesStream() }
            for index in 0..<200 { try await bus.publish("updated", "b\(index % 7)", setting: "\(index)") }
            try await eventually(within: .seconds(30)) { store.writes.count >= 200 }
            #expect(store.writes == (0..<200).map { BotID("b\($0 % 7)") })
            let applied = runners.map(\.events.counts.applied)
            #expect(applied.reduce(0, +) == 200)
            #expect(applied.allSatisfy { $0 > 0 }, "\(applied)")
            for runner in runners { await runner.stop() }
        }
    }

    @Test func aRunnerThatEndsLeavesItsEventsToTheOther() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let first = try TestRunner(bus.url, store: store)
            try await first.usesStream()
            let second = try TestRunner(bus.url, store: store)
            try await second.usesStream()
            async let published: Void = {
                for index in 0..<100 { try await bus.publish("updated", "b\(index)") }
            }()
            try await eventually { store.writes.count > 20 }
            let start = ContinuousClock.now
            await first.stop()
            try await published
            try await eventually(within: .seconds(20)) { store.writes.count >= 100 }
            // Handed back, not left to the time in which an event must be acknowledged.
            #expect(ContinuousClock.now - start < .seconds(4))
            #expect(store.documents.count == 100)
            await second.stop()
        }
    }
}
