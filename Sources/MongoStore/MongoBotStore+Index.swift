public import Control
import Logging
import Model

extension MongoBotStore {
    /// What became of the unique index on `id`.
    public enum IndexOutcome: Sendable, Hashable {
        /// It is there.
        case ensured
        /// It can't be made, because ids stand in several documents or for another reason that the warning names.
        case missing(reason: String)
    }

    /// Makes the unique index on `id` unless there is one. When the server refuses it, that is logged as a warning and the
    /// runtime works without it.
    /// - Throws: `StoreError` when the server can't be asked.
    @discardableResult
    public func ensureIndex() async throws(StoreError) -> IndexOutcome {
        do {
            try await collection.command(
                "making the index on id of",
                [
                    "createIndexes": .string(collection.name.collection),
                    "indexes": [["key": ["id": 1], "name": "id_1", "unique": true]],
                ]
            )
            return .ensured
        } catch {
            guard error.code == .refused || error.mongoError?.isMissingRight == true else { throw error }
            connection.logger.warning(
                "going on without the unique index on id: documents may come to share one",
                metadata: ["reason": "\(error)"]
            )
            return .missing(reason: error.message)
        }
    }
}
