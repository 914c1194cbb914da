import Control
import Model
import Synchronization

extension RunKey {
    /// The `_id` of its document. A slot has no colon, so no two keys have the same.
    var text: String { "\(slot):\(id.text)" }
}

extension RunRecord {
    /// The document as it lies in the collection.
    var stored: JSONObject {
        var stored: JSONObject = ["_id": .string(key.text)]
        for (name, value) in document.members { stored[name] = value }
        return stored
    }

    /// Reads a document.
    static func reading(bson bytes: UnsafeRawBufferPointer) -> Swift.Result<RunRecord, DocumentError> {
        let document: JSONObject
        do throws(BSONError) { document = try BSONReader.document(bytes) } catch {
            return .failure(DocumentError(id: "", field: error.path, problem: error.problem))
        }
        do throws(DocumentError) {
            let run = try RunRecord(document: document)
            // What stands in the fields must be what its name says: that is what guards its slot.
            guard document["_id"] == .string(run.key.text) else {
                throw DocumentError(id: run.id.text, field: "_id", problem: "is another than slot and schedule_id make")
            }
            return .success(run)
        } catch {
            let name = document["_id"]?.string ?? error.id
            return .failure(DocumentError(id: name, field: error.field, problem: error.problem))
        }
    }
}

/// What was reported already; the same again isn't.
final class ReportedOnce: Sendable {
    private static let limit = 1000
    private let seen = Mutex<Set<DocumentError>>([])

    /// Whether it hasn't been reported; then it counts as reported.
    func isNew(_ error: DocumentError) -> Bool {
        seen.withLock { seen in
            if seen.count >= Self.limit { seen = [] }
            return seen.insert(error).inserted
        }
    }
}
