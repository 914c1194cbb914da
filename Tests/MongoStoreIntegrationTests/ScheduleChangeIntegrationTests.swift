import Control
import Model
import TestSupport
import Testing
import Util

@testable import MongoStore

extension MongoIntegration {
    /// What wakes a scheduler.
    @Suite struct ScheduleChangeTests {
        @Test func aSchedulersOwnMovesWakeNobodyAndEverybodyElsesChangesDo() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoScheduleStore(connection)
                try await store.collection.fill([Self.document("a"), Self.document("b")])
                try await watching(MongoChangeSource.schedules(connection)) { wakes in
                    #expect(await wakes.saw(.everything, within: .seconds(10)))
                    wakes.clear()
                    // A hundred moves of one, then a cursor that the platform sets on the other: nothing but that is told.
                    for step in 1...100 {
                        guard case .schedule(let schedule)? = try await store.schedules(["a"]).first else { return }
                        let move = CursorMove(of: schedule, to: Int64(step) * 60, basis: "* * * * *")
                        #expect(try await store.move([move]) == ["a"])
                    }
                    try await Self.set(store, "b", ["next_execution_time": 120])
                    #expect(await wakes.saw(.bot("b"), within: .seconds(10)))
                    #expect(!wakes.all.contains(.bot("a")) && wakes.all.count == 1, "\(wakes.all)")
                    // The cursor of a schedule that a scheduler has moved before, and everything else.
                    for change: JSONObject in [
                        ["next_execution_time": 90], ["config.schedule": "@daily"], ["enabled": false],
                        ["cursor_basis": "@daily"],
                    ] {
                        wakes.clear()
                        try await Self.set(store, "a", change)
                        #expect(await wakes.saw(.bot("a"), within: .seconds(10)), "\(change)")
                    }
                    wakes.clear()
                    try await store.update(BotDocument(id: "a", fields: ["config": ["schedule": "@weekly"]]))
                    #expect(await wakes.saw(.bot("a"), within: .seconds(10)))
                    try await store.create(BotDocument(id: "c", fields: ["config": ["schedule": "@weekly"]]))
                    #expect(await wakes.saw(.bot("c"), within: .seconds(10)))
                    wakes.clear()
                    try await store.delete("a")
                    #expect(await wakes.saw(.everything, within: .seconds(10)))
                }
            }
        }

        @Test func aRunThatIsAskedForWakesItsScheduleAndNoOtherRunDoes() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let store = MongoRunStore(connection)
                try await watching(MongoChangeSource.askedRuns(connection)) { wakes in
                    #expect(await wakes.saw(.everything, within: .seconds(10)))
                    wakes.clear()
                    let claimed = (1...50).map { Self.run("a", Slot($0)) }
                    #expect(try await store.add(claimed).count == 50)
                    for run in claimed { #expect(try await store.replace(run.next { $0.phase = .running })) }
                    let asked = Self.run("b 'x' $y", Slot(60, trigger: .manual), owner: "")
                    _ = try await store.add([asked])
                    #expect(await wakes.saw(.bot("b 'x' $y"), within: .seconds(10)))
                    #expect(try await store.replace(asked.next { $0.phase = .starting }))
                    _ = try await store.add([Self.run("c", Slot(61, trigger: .manual), owner: "")])
                    #expect(await wakes.saw(.bot("c"), within: .seconds(10)))
                    #expect(wakes.all == [.bot("b 'x' $y"), .bot("c")])
                }
            }
        }

        private static func run(_ id: BotID, _ slot: Slot, owner: String = "owner") -> RunRecord {
            let time = Timestamp(secondsSince1970: 1_767_258_000)
            return RunRecord(id: id, slot: slot, owner: owner, claimedAt: time, notBefore: time, startBy: time)
        }

        private static func document(_ id: String) -> JSONObject {
            let custom: JSONObject = [
                "version": "1", "filePath": "code.zip",
                "config": [
                    "name": "n", "runtime": "python3.11", "version": "1", "type": "scheduled",
                    "entrypoints": ["bot": "main.py"],
                ],
            ]
            return ["id": .string(id), "config": ["schedule": "* * * * *"], "custom": .object(custom)]
        }

        private static func set(_ store: MongoScheduleStore, _ id: String, _ fields: JSONObject) async throws {
            let update: JSONValue = ["q": ["id": .string(id)], "u": ["$set": .object(fields)]]
            try await store.collection.command(
                "setting fields in",
                ["update": .string(store.collection.name.collection), "updates": [update]]
            )
        }
    }
}

/// Runs something while a change source watches.
private func watching(_ source: MongoChangeSource, _ body: (Wakes) async throws -> Void) async throws {
    let wakes = Wakes()
    // Ends, cancelled, with this scope.
    async let _: Void = source.watch { wakes.add($0) }
    try await body(wakes)
}
