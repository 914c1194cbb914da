public import Control
import Model
import Testing

extension ScheduleStoreContract {
    /// All that moving cursors promises.
    public static func moving(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await aMoveChangesTheCursorAlone(store, fill)
        try await whateverStandsThereCanBeMovedFrom(store, fill)
        try await whatHasChangedIsNotMoved(store, fill)
        try await whereItStandsAlreadyIsNoMove(store, fill)
        try await ofConcurrentMoversOneWins(store, fill)
        try await manyAreMovedAtOnce(store, fill)
    }

    /// A move sets slot and basis of its schedule; the rest, and the others, stay as they are.
    public static func aMoveChangesTheCursorAlone(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let config: JSONValue = ["schedule": "@hourly", "n": 1, "l": [1, ["a": nil]]]
        try await fill([
            ScheduleEntry("a", enabled: false, config: config, cursor: 3600, basis: "old"),
            ScheduleEntry("b", config: config, cursor: 3600, basis: "old"),
        ])
        let (a, b) = (try await usable("a", of: store), try await usable("b", of: store))
        #expect(try await store.move([CursorMove(of: a, to: 7_258_118_400, basis: "new")]) == ["a"])
        var expected = a
        expected.cursor = ScheduleCursor(7_258_118_400, basis: "new")
        #expect(try await usable("a", of: store) == expected)
        #expect(try await usable("b", of: store) == b)
        // Backwards too.
        #expect(try await store.move([CursorMove(of: expected, to: 60, basis: "new")]) == ["a"])
        #expect(try await usable("a", of: store).cursor == ScheduleCursor(60, basis: "new"))
    }

    /// A cursor that is missing or makes no sense can be put right, by one.
    public static func whateverStandsThereCanBeMovedFrom(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let values: [JSONValue?] = [
            nil, .null, 0, -1, 1, 1.5, -0.25, 1e300, "soon", "", "1767258000", "$x", true, false, [], [5], [[1]], [:],
            ["$gt": 0], ["$exists": true], ["a": ["b": 1]], .integer(.max), .integer(.min), 1_767_258_000,
            .number("18446744073709551616"),
        ]
        for basis in [nil, "", "x @ UTC", "$x"] as [String?] {
            let entries = values.enumerated().map { index, value in
                ScheduleEntry(.string("s\(index)"), cursor: value, basis: basis)
            }
            try await fill(entries)
            let schedules = try await store.schedules().compactMap(\.usable)
            #expect(schedules.count == values.count)
            let moves = schedules.map { CursorMove(of: $0, to: 1_800_000_000, basis: "new") }
            let moved = try await store.move(moves)
            #expect(moved.count == values.count, "\(Set(moves.map(\.id)).subtracting(moved))")
            #expect(try await store.move(moves).isEmpty)
            for schedule in try await store.schedules().compactMap(\.usable) {
                #expect(schedule.cursor == ScheduleCursor(1_800_000_000, basis: "new"))
            }
        }
    }

    /// Where expression, slot or basis aren't as they were read, or the schedule is gone, nothing is moved.
    public static func whatHasChangedIsNotMoved(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let before = [
            ScheduleEntry("same", cursor: 60, basis: "b"), ScheduleEntry("expression", cursor: 60, basis: "b"),
            ScheduleEntry("slot", cursor: 60, basis: "b"), ScheduleEntry("lost slot", cursor: 60, basis: "b"),
            ScheduleEntry("found slot", basis: "b"), ScheduleEntry("basis", cursor: 60, basis: "b"),
            ScheduleEntry("lost basis", cursor: 60, basis: "b"), ScheduleEntry("found basis", cursor: 60),
            ScheduleEntry("gone", cursor: 60, basis: "b"), ScheduleEntry("put right", cursor: "soon", basis: "b"),
        ]
        try await fill(before)
        let moves = try await store.schedules().compactMap(\.usable).map { CursorMove(of: $0, to: 120, basis: "b") }
        #expect(moves.count == before.count)
        let after = [
            ScheduleEntry("same", cursor: 60, basis: "b"),
            ScheduleEntry("expression", config: ["schedule": "@daily"], cursor: 60, basis: "b"),
            ScheduleEntry("slot", cursor: 61, basis: "b"), ScheduleEntry("lost slot", basis: "b"),
            ScheduleEntry("found slot", cursor: 60, basis: "b"), ScheduleEntry("basis", cursor: 60, basis: "c"),
            ScheduleEntry("lost basis", cursor: 60), ScheduleEntry("found basis", cursor: 60, basis: "b"),
            ScheduleEntry("put right", cursor: 90, basis: "b"),
        ]
        try await fill(after)
        let read = Set(try await store.schedules().compactMap(\.usable))
        #expect(try await store.move(moves) == ["same"])
        let changed = Set(try await store.schedules().compactMap(\.usable)).subtracting(read)
        #expect(changed.map(\.id) == ["same"])
        #expect(changed.first?.cursor == ScheduleCursor(120, basis: "b"))
    }

    /// A move to where the cursor stands already changes nothing, so nobody is told that he moved it.
    public static func whereItStandsAlreadyIsNoMove(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await fill([ScheduleEntry("a", cursor: 60, basis: "b"), ScheduleEntry("b", cursor: 60, basis: "b")])
        let (a, b) = (try await usable("a", of: store), try await usable("b", of: store))
        let moves = [CursorMove(of: a, to: 60, basis: "b"), CursorMove(of: b, to: 60, basis: "c")]
        #expect(try await store.move(moves) == ["b"])
        #expect(try await usable("b", of: store).cursor == ScheduleCursor(60, basis: "c"))
    }

    /// Of several who move the same cursor exactly one is told that he did, even when all move it to the same slot (F29).
    public static func ofConcurrentMoversOneWins(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let count = 60
        try await fill((0..<count).map { ScheduleEntry(.string("s\($0)"), cursor: 60) })
        for round in 1...3 {
            let schedules = try await store.schedules().compactMap(\.usable)
            let won = try await withThrowingTaskGroup(of: Set<BotID>.self) { group in
                for mover in 0..<8 {
                    // Each has another part of them, in another order.
                    let part = schedules.filter { $0.id.text.utf8.last.map { Int($0) % 8 != mover } ?? true }
                    let moves = part.shuffled().map { CursorMove(of: $0, to: Int64(60 + round), basis: "same") }
                    group.addTask { try await store.move(moves) }
                }
                return try await group.reduce(into: [BotID]()) { $0 += $1 }
            }
            #expect(won.count == count)
            #expect(Set(won).count == count)
        }
    }

    /// A thousand in one call, every other of them stale.
    public static func manyAreMovedAtOnce(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let entries = (0..<1000).map { ScheduleEntry(.string("s\($0)"), cursor: 60, basis: "b") }
        try await fill(entries)
        var moves = try await store.schedules().compactMap(\.usable).map { CursorMove(of: $0, to: 120, basis: "b") }
        #expect(try await store.move(moves).count == 1000)
        for index in moves.indices {
            moves[index].from = ScheduleCursor(index.isMultiple(of: 2) ? 120 : 119, basis: "b")
            moves[index].to = 180
        }
        let moved = try await store.move(moves)
        #expect(moved == Set(moves.indices.filter { $0.isMultiple(of: 2) }.map { moves[$0].id }))
        let at180 = try await store.schedules().compactMap(\.usable).filter { $0.cursor.time == 180 }
        #expect(Set(at180.map(\.id)) == moved)
    }
}
