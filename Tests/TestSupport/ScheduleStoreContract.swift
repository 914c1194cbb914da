public import Control
public import Model
import Testing

/// What a test has a store of schedules hold.
public struct ScheduleEntry: Sendable {
    /// The id, or what stands in its place.
    public var id: JSONValue
    /// The top-level `enabled`; nil for none.
    public var enabled: JSONValue?
    /// The parameters, `schedule` among them, or what stands in their place; nil for none.
    public var config: JSONValue?
    /// `next_execution_time`; nil for none.
    public var cursor: JSONValue?
    /// `cursor_basis`; nil for none.
    public var basis: String?

    /// An entry of these parts.
    public init(
        _ id: JSONValue,
        enabled: JSONValue? = nil,
        config: JSONValue? = ["schedule": "0 9 * * 1"],
        cursor: JSONValue? = nil,
        basis: String? = nil
    ) {
        self.id = id
        self.enabled = enabled
        self.config = config
        self.cursor = cursor
        self.basis = basis
    }

    /// The entry as a document of the database; the custom bot is ``StoreContract/custom``.
    public var document: JSONObject {
        var document: JSONObject = ["id": id, "custom": StoreContract.custom]
        document["enabled"] = enabled
        document["config"] = config
        document["next_execution_time"] = cursor
        document["cursor_basis"] = basis.map { .string($0) }
        return document
    }
}

/// What every ``ScheduleStore`` promises. A store's tests call these with a store of their own and a way to fill it.
public enum ScheduleStoreContract {
    /// Makes the store hold exactly these entries with these cursors, written the way a person, the platform or version 1.2.0
    /// would.
    public typealias Fill = @Sendable ([ScheduleEntry]) async throws -> Void

    /// All that it promises.
    public static func all(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await reading(store, fill)
        try await moving(store, fill)
    }

    /// All that reading promises.
    public static func reading(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await emptyMeansNoSchedules(store, fill)
        try await schedulesAreReadWhole(store, fill)
        try await someAreReadByID(store, fill)
        try await oneBrokenEntryDisturbsNoOther(store, fill)
        try await duplicatesAreOneBrokenEntry(store, fill)
        try await hostileIDsAreIDs(store, fill)
    }

    /// An empty store is no error and has no schedules.
    public static func emptyMeansNoSchedules(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await fill([])
        #expect(try await store.schedules().isEmpty)
        #expect(try await store.schedules(["none"]).isEmpty)
        #expect(try await store.schedules([]).isEmpty)
        #expect(try await store.move([]).isEmpty)
    }

    /// Expression, parameters and cursor are as they were written.
    public static func schedulesAreReadWhole(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let config = try JSONValue.parse(
            #"{"z":1,"schedule":" CRON_TZ=Europe/Berlin 0 9 * * MON ","a":{"$set":1,"dot.ted":[1,null]},"execution":{"timezone":"UTC"}}"#
        )
        try await fill([
            ScheduleEntry("a", config: config, cursor: 1_767_258_000, basis: "0 9 * * MON @ UTC"),
            ScheduleEntry("off", enabled: false), ScheduleEntry("bare"),
        ])
        #expect(try await store.schedules().count == 3)
        let schedule = try await usable("a", of: store)
        #expect(schedule.schedule == " CRON_TZ=Europe/Berlin 0 9 * * MON ")
        #expect(JSONValue.object(schedule.bot.config).text == config.text)
        #expect(schedule.bot.isEnabled)
        #expect(schedule.cursor == ScheduleCursor(1_767_258_000, basis: "0 9 * * MON @ UTC"))
        #expect(try await usable("off", of: store).bot.isEnabled == false)
        #expect(try await usable("bare", of: store).cursor == ScheduleCursor())
    }

    /// Those asked for that there are, each once.
    public static func someAreReadByID(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await fill((0..<1000).map { ScheduleEntry(.string("s\($0)")) } + [ScheduleEntry("broken", config: 7)])
        let found = try await store.schedules(["s1", "s7", "none", "s1", "broken"])
        #expect(found.count == 3)
        #expect(Set(found.compactMap(\.usable?.id)) == ["s1", "s7"])
        #expect(found.compactMap(\.failure?.id) == ["broken"])
        let all = (0..<1000).map { BotID("s\($0)") }
        #expect(Set(try await store.schedules(all).compactMap(\.usable?.id)) == Set(all))
        #expect(try await store.schedules([]).isEmpty)
    }

    /// What can't be used is reported by id and field; the others are served (F65).
    public static func oneBrokenEntryDisturbsNoOther(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await fill([
            ScheduleEntry("good"), ScheduleEntry("number", config: 7), ScheduleEntry("without", config: [:]),
            ScheduleEntry("typed", config: ["schedule": 5]), ScheduleEntry("switch", enabled: "maybe"),
            ScheduleEntry("off", enabled: false, config: ["schedule": 5]), ScheduleEntry(7), ScheduleEntry(""),
            ScheduleEntry("also good", cursor: "tomorrow"),
        ])
        let entries = try await store.schedules()
        #expect(entries.count == 9)
        #expect(Set(entries.compactMap(\.usable?.id)) == ["good", "also good"])
        #expect(entries.contains(.off("off")))
        let fields = Dictionary(
            uniqueKeysWithValues: entries.compactMap(\.failure).compactMap { id, error in
                id.map { ($0, error.field) }
            }
        )
        #expect(
            fields == [
                "number": "config", "without": "config.schedule", "typed": "config.schedule", "switch": "enabled",
            ]
        )
        #expect(entries.compactMap(\.failure).count { $0.id == nil && $0.error.field == "id" } == 2)
        let good = try await usable("good", of: store)
        #expect(try await store.move([CursorMove(of: good, to: 100, basis: "b")]) == ["good"])
    }

    /// Which of two entries of one id is meant can't be known.
    public static func duplicatesAreOneBrokenEntry(_ store: any ScheduleStore, _ fill: Fill) async throws {
        try await fill([
            ScheduleEntry("twice"), ScheduleEntry("once"), ScheduleEntry("twice", config: ["schedule": "@daily"]),
        ])
        let entries = try await store.schedules()
        #expect(entries.count == 2)
        #expect(entries.compactMap(\.usable?.id) == ["once"])
        #expect(entries.compactMap(\.failure?.id) == ["twice"])
        let some = try await store.schedules(["once", "twice"])
        #expect(some.count == 2)
        #expect(some.compactMap(\.failure?.error.field) == ["id"])
    }

    /// An id is data, byte for byte, when reading and when moving.
    public static func hostileIDsAreIDs(_ store: any ScheduleStore, _ fill: Fill) async throws {
        let ids = StoreContract.hostileIDs
        try await fill(
            ids.map { ScheduleEntry(.string($0.text), config: ["schedule": "@daily", "id": .string($0.text)]) }
        )
        let schedules = try await store.schedules().compactMap(\.usable)
        #expect(Set(schedules.map(\.id)) == Set(ids))
        #expect(Set(try await store.schedules(ids).compactMap(\.usable?.id)) == Set(ids))
        #expect(try await store.schedules(["A/B"]).isEmpty)
        for schedule in schedules { #expect(schedule.bot.config["id"] == .string(schedule.id.text)) }
        var moves: [CursorMove] = []
        for (index, schedule) in schedules.enumerated() {
            moves.append(CursorMove(of: schedule, to: Int64(index + 1), basis: schedule.id.text))
        }
        #expect(try await store.move(moves) == Set(ids))
        for move in moves {
            #expect(try await usable(move.id, of: store).cursor == ScheduleCursor(move.to, basis: move.id.text))
        }
    }

    /// The schedule of an id, which must be there and usable.
    public static func usable(_ id: BotID, of store: any ScheduleStore) async throws -> BotSchedule {
        let entries = try await store.schedules([id])
        #expect(entries.count == 1)
        return try #require(entries.first?.usable, "\(String(describing: entries.first))")
    }
}

extension StoredSchedule {
    /// The schedule, where it is usable.
    public var usable: BotSchedule? {
        if case .schedule(let schedule) = self { schedule } else { nil }
    }

    /// What is wrong, where something is.
    public var failure: (id: BotID?, error: DocumentError)? {
        if case .broken(let id, let error) = self { (id, error) } else { nil }
    }
}
