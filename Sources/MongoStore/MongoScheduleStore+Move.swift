public import Control
import Logging
public import Model

extension MongoScheduleStore {
    /// Moves cursors on that stand as they were read, in as few commands as there can be.
    ///
    /// The server only says how many it has moved. Where that isn't all, the moved ones are found by a token that each move
    /// writes beside its cursor (`cursor_mover`): another mover's has another, even where both move to the same slot.
    public func move(_ moves: [CursorMove]) async throws(StoreError) -> Set<BotID> {
        var moved: Set<BotID> = []
        let moves = moves.filter { $0.from != ScheduleCursor($0.to, basis: $0.basis) }
        for part in moves.inParts(bytes: {
            $0.id.text.utf8.count + $0.schedule.utf8.count + 2 * $0.basis.utf8.count + 256
        }) {
            moved.formUnion(try await move(part))
        }
        return moved
    }

    private func move(_ moves: ArraySlice<CursorMove>) async throws(StoreError) -> Set<BotID> {
        let token =
            String(UInt64.random(in: 0...UInt64.max), radix: 36) + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let what = "moving cursors of"
        let command: [UInt8]
        do { command = try Self.command(moves, token, collection.name.collection) } catch {
            throw StoreError(error, collection.describe(what))
        }
        let tally = try await collection.writeEach(what, command)
        for (index, failure) in tally.failures {
            let error = StoreError(failure, collection.describe(what), connection.uri)
            guard error.code == .refused else { throw error }
            let id = moves.indices.contains(moves.startIndex + index) ? moves[moves.startIndex + index].id.text : ""
            connection.logger.error("a cursor can't be moved", metadata: ["schedule": "\(id)", "error": "\(error)"])
        }
        if tally.count == moves.count { return Set(moves.map(\.id)) }
        guard tally.count > 0 else { return [] }
        let moved = try await ids(movedBy: token, moves)
        guard moved.count == tally.count else {
            throw StoreError(
                .unavailable,
                "\(collection.describe(what)): \(tally.count) were moved, but only \(moved.count) are found where they were moved "
                    + "to: others were quicker with the next"
            )
        }
        return moved
    }

    private func ids(movedBy token: String, _ moves: ArraySlice<CursorMove>) async throws(StoreError) -> Set<BotID> {
        let found = try await collection.find(
            "reading moved cursors of",
            filter: ["id": ["$in": .array(moves.map { .string($0.id.text) })], "cursor_mover": .string(token)],
            options: ["projection": ["_id": 0, "id": 1], "batchSize": 10_000]
        ) { bytes in
            try? Bot.id(of: BSONReader.document(bytes))
        }
        return Set(found.compactMap { $0 })
    }

    private static func command(
        _ moves: ArraySlice<CursorMove>,
        _ token: String,
        _ collection: String
    ) throws(BSONError) -> [UInt8] {
        var writer = BSONWriter()
        try writer.nest { writer throws(BSONError) in
            writer.append(collection, key: "update")
            try writer.append(.bool(false), key: "ordered", depth: 1)
            try writer.nest("updates", isArray: true) { writer throws(BSONError) in
                for (index, move) in moves.enumerated() {
                    try writer.nest("\(index)") { writer throws(BSONError) in
                        try writer.nest("q") { writer throws(BSONError) in try writer.appendGuard(of: move) }
                        try writer.nest("u") { writer throws(BSONError) in
                            try writer.nest("$set") { writer in
                                writer.append(int64: move.to, key: "next_execution_time")
                                writer.append(move.basis, key: "cursor_basis")
                                writer.append(token, key: "cursor_mover")
                            }
                        }
                    }
                }
            }
        }
        return writer.bytes
    }
}

extension BSONWriter {
    /// That a schedule stands as it was read. Every condition has an operator: a value may look like one itself.
    fileprivate mutating func appendGuard(of move: CursorMove) throws(BSONError) {
        append(move.id.text, key: "id")
        append(move.schedule, key: "config.schedule")
        try append(.object(Self.condition(move.from.value)), key: "next_execution_time", depth: 1)
        // What isn't text was read as none.
        let basis: JSONObject = move.from.basis.map { ["$eq": .string($0)] } ?? ["$not": ["$type": "string"]]
        try append(.object(basis), key: "cursor_basis", depth: 1)
    }

    private static func condition(_ value: JSONValue?) -> JSONObject {
        switch value {
        case nil, .null, .bool, .integer, .double, .number, .array: ["$eq": value ?? .null]
        // Not a number, and infinities, are read as their names.
        case .string("NaN"): ["$in": ["NaN", .double(.nan)]]
        case .string("Infinity"): ["$in": ["Infinity", .double(.infinity)]]
        case .string("-Infinity"): ["$in": ["-Infinity", .double(-.infinity)]]
        // Dates, binaries, regular expressions and the like are read as text or objects, which they don't equal. Whatever it
        // was, it was no number; and it is one as soon as somebody has put it right.
        case .string, .object: ["$not": ["$type": "number"]]
        }
    }
}
