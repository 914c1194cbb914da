import Control
import Model
import TestSupport
import Testing

@testable import MongoStore

extension MongoIntegration {
    @Suite struct ScheduleStoreTests {
        @Test func theContractOfSchedules() async throws {
            try await MongoServer.with { server in
                let store = MongoScheduleStore(try server.connection())
                // Not unique: documents that share an id are part of the contract.
                try await store.collection.command(
                    "indexing",
                    ["createIndexes": "bot_schedules", "indexes": [["key": ["id": 1], "name": "plain"]]]
                )
                try await ScheduleStoreContract.all(store) { entries in
                    try await store.collection.fill(entries.map(\.document))
                }
            }
        }

        @Test func cursorsOfEveryTypeOfBSONAreMovedByOne() async throws {
            let zeros = [UInt8](repeating: 0, count: 8)
            let values: [(name: String, type: UInt8, bytes: [UInt8])] = [
                ("date", 0x09, zeros), ("object id", 0x07, zeros + [0, 0, 0, 1]), ("undefined", 0x06, []),
                ("NaN", 0x01, [0, 0, 0, 0, 0, 0, 0xF8, 0x7F]), ("infinity", 0x01, [0, 0, 0, 0, 0, 0, 0xF0, 0x7F]),
                ("whole double", 0x01, [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]), ("long", 0x12, [9] + zeros.dropFirst()),
                ("binary", 0x05, [1, 0, 0, 0, 0, 7]), ("regular expression", 0x0B, [0x61, 0, 0]),
                ("timestamp", 0x11, zeros), ("min key", 0xFF, []), ("max key", 0x7F, []),
                ("decimal", 0x13, [5] + zeros.dropFirst() + [0, 0, 0, 0, 0, 0, 0x40, 0x30]),
            ]
            try await MongoServer.with { server in
                let store = MongoScheduleStore(try server.connection())
                try await store.ensureIndex()
                try await store.collection.insert(
                    bson: try values.map {
                        try bson(
                            ScheduleEntry(.string($0.name)).document,
                            "next_execution_time",
                            type: $0.type,
                            $0.bytes
                        )
                    }
                )
                let schedules = try await store.schedules().compactMap(\.usable)
                #expect(schedules.count == values.count)
                for schedule in schedules {
                    let move = CursorMove(of: schedule, to: 60, basis: "b")
                    #expect(try await store.move([move]) == [schedule.id], "\(schedule.id)")
                    #expect(try await store.move([move]).isEmpty, "\(schedule.id)")
                }
                // As version 1.2.0 has it, however small the number is.
                let long = try await store.collection.documents(["next_execution_time": ["$type": "long"]])
                #expect(long.count == values.count)
            }
        }

        @Test func eventsWriteTheirFieldsAndLeaveTheCursor() async throws {
            try await MongoServer.with { server in
                let store = MongoScheduleStore(try server.connection())
                try await store.ensureIndex()
                #expect(try await store.isEmpty())
                try await store.create(StoreContract.document("a", ["config": ["schedule": "@daily"]]))
                try await store.create(StoreContract.document("a", ["config": ["schedule": "@hourly"]]))
                #expect(try await !store.isEmpty())
                let created = try await ScheduleStoreContract.usable("a", of: store)
                #expect(created.schedule == "@daily")
                #expect(created.cursor == ScheduleCursor())
                #expect(try await store.move([CursorMove(of: created, to: 60, basis: "@daily @ UTC")]) == ["a"])
                try await store.update(BotDocument(id: "a", fields: ["config": ["schedule": "@hourly"]]))
                let updated = try await ScheduleStoreContract.usable("a", of: store)
                #expect(updated.schedule == "@hourly")
                #expect(updated.cursor == ScheduleCursor(60, basis: "@daily @ UTC"))
                let document = try #require(try await store.collection.documents().first)
                #expect(document["segment_id"] == 0)
                try await store.delete("a")
                try await store.delete("a")
                #expect(try await store.isEmpty())
            }
        }

        @Test func f39AnUnchangedUpdateChangesNothing() async throws {
            try await MongoServer.with { server in
                let store = MongoScheduleStore(try server.connection())
                var theirs = ScheduleEntry("a", cursor: 3600, basis: "b").document
                theirs["owner"] = ["name": "x"]
                try await store.collection.fill([theirs])
                let before = try await store.collection.documents()
                let same = StoreContract.document("a", ["config": ["schedule": "0 9 * * 1"]])
                try await store.update(same)
                try await store.update(same)
                #expect(try await store.collection.documents() == before)
            }
        }

        @Test func f31AChangedExpressionIsNotOvertakenByAMoveOfTheOld() async throws {
            try await MongoServer.with { server in
                let store = MongoScheduleStore(try server.connection())
                try await store.collection.fill([ScheduleEntry("a", cursor: 60).document])
                let read = try await ScheduleStoreContract.usable("a", of: store)
                try await store.update(BotDocument(id: "a", fields: ["config": ["schedule": "@hourly"]]))
                #expect(try await store.move([CursorMove(of: read, to: 120, basis: "old")]).isEmpty)
                #expect(try await ScheduleStoreContract.usable("a", of: store).cursor == ScheduleCursor(60))
            }
        }

        @Test func withoutAServerItIsNotKnownWhatWasMoved() async throws {
            try await MongoServer.with { server in
                let store = MongoScheduleStore(try server.connection())
                try await store.collection.fill([ScheduleEntry("a", cursor: 60).document])
                let move = CursorMove(of: try await ScheduleStoreContract.usable("a", of: store), to: 120, basis: "b")
                await server.service.kill()
                let error = await #expect(throws: StoreError.self) { try await store.move([move]) }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("moving cursors of bot_scheduler.bot_schedules on 127.0.0.1") == true)
                try await server.service.start()
                #expect(try await store.move([move]) == ["a"])
            }
        }

        @Test func changesOfSchedulesWakeThem() async throws {
            try await MongoServer.with { server in
                let connection = try server.connection()
                let (wakes, wake) = AsyncStream.makeStream(of: Wake.self)
                let source = MongoChangeSource(connection, database: "bot_scheduler", collection: "bot_schedules")
                async let _: Void = source.watch { wake.yield($0) }
                var next = wakes.makeAsyncIterator()
                #expect(await next.next() == .everything)
                let store = MongoScheduleStore(connection)
                try await MongoBotStore(connection).create(StoreContract.document("bot", ["config": [:]]))
                try await store.create(StoreContract.document("schedule", ["config": ["schedule": "@daily"]]))
                #expect(await next.next() == .bot("schedule"))
            }
        }
    }
}
