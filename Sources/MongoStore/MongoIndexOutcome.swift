import Control
import Logging
import Model

/// What became of indexes that are to be there.
public enum MongoIndexOutcome: Sendable, Hashable {
    /// They are there.
    case ensured
    /// They can't be made, because ids stand in several documents or for another reason that the warning names.
    case missing(reason: String)
}

extension MongoCollection {
    func ensureIndexOnID() async throws(StoreError) -> MongoIndexOutcome {
        try await ensure(
            [["key": ["id": 1], "name": "id_1", "unique": true]],
            "going on without the unique index on id: documents may come to share one"
        )
    }

    /// Makes indexes unless they are there. When the server refuses them, that is logged as a warning.
    func ensure(_ indexes: JSONValue, _ warning: Logger.Message) async throws(StoreError) -> MongoIndexOutcome {
        do {
            try await command(
                "making the indexes of",
                ["createIndexes": .string(name.collection), "indexes": indexes]
            )
            return .ensured
        } catch {
            guard error.code == .refused || error.mongoError?.isMissingRight == true else { throw error }
            connection.logger.warning(warning, metadata: ["collection": "\(name)", "reason": "\(error)"])
            return .missing(reason: error.message)
        }
    }
}
