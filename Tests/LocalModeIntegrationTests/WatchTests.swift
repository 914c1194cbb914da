import Foundation
import Model
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import LocalMode

@Suite struct LocalWatchIntegrationTests {
    private final class Wakes: Sendable {
        private let ids = Mutex<[BotID?]>([])
        func add(_ id: BotID?) { ids.withLock { $0.append(id) } }
        func forget() { ids.withLock { $0 = [] } }
        func contains(_ id: BotID?) -> Bool { ids.withLock { $0.contains(id) } }
    }

    @Test func startsAndEndsWakeTheirBot() async throws {
        try await LocalFixture.with { local in
            // Another one starts: a watch sees what others do.
            let starter = try await local.runner()
            let runner = try await local.runner()
            try await starter.start(try local.spec("old", sleeper), attempt: 0)
            let wakes = Wakes()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await runner.watch(.live) { wakes.add($0) } }
                try await eventually("the first look") { wakes.contains(nil) }
                wakes.forget()
                try local.status("old").bot?.send(SIGKILL)
                try await eventually("the end of the old one") { wakes.contains("old") }
                try await starter.start(try local.spec("new", sleeper), attempt: 0)
                try await eventually("the start of the new one") { wakes.contains("new") }
                #expect(!wakes.contains(nil))
                wakes.forget()
                try await starter.remove(try #require(try await starter.runs(of: .live, id: "new").first))
                try await eventually("the removal") { wakes.contains("new") }
                group.cancelAll()
            }
        }
    }

    @Test func aBotWhoseSupervisorWasKilledIsEndedByTheWatch() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("k", sleeper), attempt: 0)
            let status = try local.status("k")
            let wakes = Wakes()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await runner.watch(.live) { wakes.add($0) } }
                try await eventually("the first look") { wakes.contains(nil) }
                wakes.forget()
                status.supervisor.send(SIGKILL)
                try await eventually("the wake-up") { wakes.contains("k") }
                try await eventually("the end of the bot") { status.bot?.isRunning == false }
                group.cancelAll()
            }
            #expect(try await runner.runs(of: .live, id: "k").first?.exit?.code == 137)
        }
    }
}
