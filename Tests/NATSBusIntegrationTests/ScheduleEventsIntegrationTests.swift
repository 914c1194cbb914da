import Control
import Model
import TestSupport
import Testing

@testable import NATSBus

@Suite(.serialized) struct ScheduleEventsIntegrationTests {
    @Test func botsAndSchedulesAreHeardByTheirOwn() async throws {
        try await Bus.with(stream: true) { bus in
            let bots = try TestRunner(bus.url)
            let schedules = try TestRunner(bus.url, kind: .schedule)
            try await bots.usesStream()
            try await schedules.usesStream()
            try await bus.publish("created", "bot")
            try await bus.publish("created", "schedule", kind: .schedule)
            try await eventually { bots.wakes.contains(.bot("bot")) && schedules.wakes.contains(.bot("schedule")) }
            #expect(bots.store.writes == ["bot"])
            #expect(schedules.store.writes == ["schedule"])
            #expect(schedules.store.documents["schedule"]?["config"]?.object?["schedule"] == "0 9 * * MON")
            let link = try await bus.platform.link()
            #expect(try await link.consumer(BotEventsSettings(.schedule).consumer) != nil)
            #expect(BotEventsSettings(.schedule).durable == "runtime-schedules")
            await bots.stop()
            await schedules.stop()
        }
    }

    @Test func withoutAStreamTooEachHearsItsOwn() async throws {
        try await Bus.with(stream: false) { bus in
            let bots = try TestRunner(bus.url)
            let schedules = try TestRunner(bus.url, kind: .schedule)
            try await bots.listening()
            try await schedules.listening()
            for index in 0..<20 {
                try await bus.publish("created", "bot\(index)")
                try await bus.publish("created", "schedule\(index)", kind: .schedule)
            }
            try await eventually { bots.store.writes.count == 20 && schedules.store.writes.count == 20 }
            #expect(bots.store.documents.keys.allSatisfy { $0.text.hasPrefix("bot") })
            #expect(schedules.store.documents.keys.allSatisfy { $0.text.hasPrefix("schedule") })
            await bots.stop()
            await schedules.stop()
        }
    }

    @Test func f34EventsSentWhileNoSchedulerIsUpArriveLaterInOrder() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            let first = try TestRunner(bus.url, store: store, kind: .schedule)
            try await first.usesStream()
            try await bus.publish("created", "before", kind: .schedule)
            try await eventually { store.documents["before"] != nil }
            await first.stop()
            for index in 0..<20 { try await bus.publish("created", "down\(index)", kind: .schedule) }
            try await bus.publish("updated", "down0", setting: "new", kind: .schedule)
            try await bus.publish("deleted", "before", kind: .schedule)
            let second = try TestRunner(bus.url, store: store, kind: .schedule)
            try await eventually { store.documents.count == 20 && store.documents["before"] == nil }
            #expect(store.setting("down0") == "new")
            #expect(store.writes.count == 23)
            await second.stop()
        }
    }

    @Test func onADatabaseInUseOnlyWhatIsRecentIsTakenOver() async throws {
        try await Bus.with(stream: true) { bus in
            let store = MemoryStore()
            try await store.create(BotDocument(id: "there", fields: ["config": ["schedule": "@daily"]]))
            try await bus.publish("created", "bot")
            try await bus.publish("created", "new", kind: .schedule)
            try await bus.publish("deleted", "there", kind: .schedule)
            let scheduler = try TestRunner(bus.url, store: store, kind: .schedule)
            try await scheduler.usesStream()
            #expect(Set(store.documents.keys) == ["new"])
            await scheduler.stop()
        }
    }

    @Test func aConsumerThatVanishesIsMadeAnew() async throws {
        try await Bus.with(stream: true) { bus in
            let scheduler = try TestRunner(bus.url, kind: .schedule)
            try await scheduler.usesStream()
            try await bus.publish("created", "one", kind: .schedule)
            try await eventually { scheduler.store.documents["one"] != nil }
            try await bus.deleteConsumer("runtime-schedules")
            try await bus.publish("created", "two", kind: .schedule)
            try await eventually { scheduler.store.documents["two"] != nil }
            #expect(scheduler.store.writes == ["one", "two"])
            await scheduler.stop()
        }
    }
}
