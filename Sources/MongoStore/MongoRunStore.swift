public import Control
import Logging
public import Model

/// The runs of schedules in a collection of MongoDB.
///
/// A run's `_id` is made of its slot and its schedule's id, so that the server itself, without any index of ours, adds each
/// run once.
public struct MongoRunStore: RunStore {
    let collection: MongoCollection
    private let broken = ReportedOnce()

    /// The runs of a collection.
    ///
    /// - Parameters:
    ///   - connection: how to reach the server.
    ///   - database: the database's name.
    ///   - collection: the collection's name.
    public init(_ connection: MongoConnection, database: String = "bot_scheduler", collection: String = "runs") {
        self.collection = MongoCollection(
            connection: connection,
            name: CollectionName(database: database, collection: collection),
            isReadFromPrimary: true
        )
    }

    /// Makes the indexes that keep reading quick. Where the server refuses them, that is logged as a warning and the runtime
    /// works without them.
    /// - Throws: `StoreError` when the server can't be asked.
    @discardableResult
    public func ensureIndexes() async throws(StoreError) -> MongoIndexOutcome {
        try await collection.ensure(
            [
                ["key": ["phase": 1], "name": "phase_1"],
                ["key": ["schedule_id": 1, "slot": -1, "trigger": 1], "name": "schedule_id_1_slot_-1_trigger_1"],
                ["key": ["slot": -1, "trigger": 1, "schedule_id": 1], "name": "slot_-1_trigger_1_schedule_id_1"],
            ],
            "going on without indexes on runs: reading them takes longer"
        )
    }

    /// Adds runs, each by itself, unless there is one of its key.
    public func add(_ runs: [RunRecord]) async throws(StoreError) -> Set<RunKey> {
        let what = "adding runs to"
        var documents: [(key: RunKey, bytes: [UInt8])] = []
        for run in runs {
            documents.append((run.key, try collection.encode(run.stored, collection.describe(what))))
        }
        var added: Set<RunKey> = []
        for part in documents.inParts(bytes: \.bytes.count) {
            let tally = try await collection.writeEach(what, insertion(of: part.map(\.bytes), what))
            for failure in tally.failures.values where !failure.isDuplicateKey {
                throw StoreError(failure, collection.describe(what), collection.connection.uri)
            }
            let new = part.enumerated().filter { tally.failures[$0.offset] == nil }
            guard new.count == tally.count else {
                throw StoreError(
                    .unavailable,
                    "\(collection.describe(what)): \(tally.count) of \(part.count) were added, but not these: the answer makes no sense"
                )
            }
            added.formUnion(new.map(\.element.key))
        }
        return added
    }

    /// Puts a record in the place of the one of its key, if that still has the revision before.
    public func replace(_ run: RunRecord) async throws(StoreError) -> Bool {
        let what = "changing the run \(run.key.text.escapedForMessage) in"
        let command = try collection.encode(
            [
                "update": .string(collection.name.collection),
                "updates": [
                    [
                        "q": ["_id": .string(run.key.text), "revision": .integer(run.revision &- 1)],
                        "u": .object(run.stored),
                    ]
                ],
            ],
            collection.describe(what)
        )
        let tally = try await collection.writeEach(what, command)
        if let failure = tally.failures.values.first {
            throw StoreError(failure, collection.describe(what), collection.connection.uri)
        }
        if tally.count > 0 { return true }
        return try await runs([run.key]).first == run
    }

    /// The runs of some keys that there are. A record that can't be read is passed over, and logged: adding its key tells that it
    /// is there.
    public func runs(_ keys: [RunKey]) async throws(StoreError) -> [RunRecord] {
        var runs: [RunRecord] = []
        for part in Set(keys).map(\.text).inParts(bytes: \.utf8.count) {
            runs += try await read(
                "reading \(part.count) runs from",
                filter: ["_id": ["$in": .array(part.map(JSONValue.string))]]
            )
        }
        return runs
    }

    /// Every run that has not ended, of all schedules or of some. A record that can't be read is passed over, and logged: its
    /// slot stays taken.
    public func unfinished(of ids: [BotID]?) async throws(StoreError) -> [RunRecord] {
        // Not "one of the others": what has a phase that this version doesn't know is found, and told.
        let filter: JSONObject = ["phase": ["$ne": .string(RunRecord.Phase.ended.rawValue)]]
        guard let ids else { return try await read("reading", filter: filter) }
        var runs: [RunRecord] = []
        for part in Set(ids).map(\.text).inParts(bytes: \.utf8.count) {
            var filter = filter
            filter["schedule_id"] = ["$in": .array(part.map(JSONValue.string))]
            runs += try await read("reading", filter: filter)
        }
        return runs
    }

    /// The latest runs, newest slot first, of one schedule or of all.
    public func history(of id: BotID?, limit: Int) async throws(StoreError) -> [RunRecord] {
        // To the server 0 is no limit, and a negative one is something else.
        guard limit > 0 else { return [] }
        return try await read(
            "reading",
            filter: id.map { ["schedule_id": .string($0.text)] } ?? JSONObject(),
            options: ["sort": Self.newestFirst, "limit": .integer(Int64(limit))]
        )
    }

    /// The newest run of each schedule that has any, in one question. A record that can't be read is passed over, and logged.
    public func latest(of ids: [BotID]?, trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord] {
        guard let ids else { return try await latest(JSONObject(), trigger) }
        var runs: [RunRecord] = []
        for part in Set(ids).map(\.text).inParts(bytes: \.utf8.count) {
            runs += try await latest(["schedule_id": ["$in": .array(part.map(JSONValue.string))]], trigger)
        }
        return runs
    }

    private func latest(_ filter: JSONObject, _ trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord] {
        var filter = filter
        filter["trigger"] = trigger.map { .string($0.rawValue) }
        // In the order of an index: the server takes the first of each schedule from it, and passes the others over.
        let found = try await collection.aggregate(
            "reading the latest runs from",
            pipeline: [
                ["$match": .object(filter)], ["$sort": ["schedule_id": 1, "slot": -1, "trigger": 1]],
                ["$group": ["_id": "$schedule_id", "run": ["$first": "$$ROOT"]]],
                ["$replaceRoot": ["newRoot": "$run"]],
            ],
            RunRecord.reading(bson:)
        )
        return usable(found)
    }

    /// Forgets the oldest runs of a schedule beyond a number; never one that has not ended.
    public func trim(_ id: BotID, keeping count: Int) async throws(StoreError) {
        let keys = try await collection.find(
            "reading",
            filter: ["schedule_id": .string(id.text)],
            options: [
                "sort": Self.newestFirst, "skip": .integer(Int64(max(0, count))), "limit": 10_000,
                "projection": ["_id": 1],
            ]
        ) { bytes in
            (try? BSONReader.document(bytes))?["_id"]?.string
        }
        for part in keys.compactMap({ $0 }).inParts(bytes: \.utf8.count) {
            let ended: JSONObject = [
                "_id": ["$in": .array(part.map(JSONValue.string))],
                "phase": .string(RunRecord.Phase.ended.rawValue),
            ]
            try await collection.command(
                "forgetting runs of",
                ["delete": .string(collection.name.collection), "deletes": [["q": .object(ended), "limit": 0]]]
            )
        }
    }

    /// Whether runs can be read now.
    /// - Throws: `StoreError` saying why not.
    public func check() async throws(StoreError) {
        _ = try await collection.find(
            "reading",
            filter: JSONObject(),
            options: ["projection": ["_id": 1], "limit": 1],
            { _ in }
        )
    }

    /// By the order of slots: at the same time one that was asked for is the newer.
    private static let newestFirst: JSONValue = ["slot": -1, "trigger": 1, "schedule_id": 1]

    private func insertion(of documents: [[UInt8]], _ what: String) throws(StoreError) -> [UInt8] {
        do {
            return try BSONWriter.command(
                ["insert": .string(collection.name.collection), "ordered": false],
                "documents",
                documents
            )
        } catch { throw StoreError(error, collection.describe(what)) }
    }

    private func read(
        _ operation: String,
        filter: JSONObject,
        options: JSONObject = JSONObject()
    ) async throws(StoreError) -> [RunRecord] {
        var options = options
        options["batchSize"] = 1000
        let found = try await collection.find(operation, filter: filter, options: options, RunRecord.reading(bson:))
        return usable(found)
    }

    private func usable(_ found: [Swift.Result<RunRecord, DocumentError>]) -> [RunRecord] {
        found.compactMap { result in
            switch result {
            case .success(let run): return run
            case .failure(let error):
                if broken.isNew(error) {
                    collection.connection.logger.error(
                        "a run's record can't be used",
                        metadata: ["collection": "\(collection.name)", "problem": "\(error)"]
                    )
                }
                return nil
            }
        }
    }
}
