import Control
import Model

/// What a store tells of one document: something usable, or what is wrong with it.
protocol DocumentEntry: Sendable {
    /// The fields at the top of a document that are looked at.
    static var fields: Set<String> { get }

    init(document: JSONObject)

    static func broken(_ id: BotID?, _ error: DocumentError) -> Self

    static func resolvingDuplicates(_ entries: [Self]) -> [Self]
}

extension StoredBot: DocumentEntry {
    static let fields: Set = ["_id", "id", "enabled", "config", "custom"]
}

extension StoredSchedule: DocumentEntry {
    static let fields: Set = ["_id", "id", "enabled", "config", "custom", "next_execution_time", "cursor_basis"]
}

extension DocumentEntry {
    /// Reads a document. One that can't be read is broken, with its id where that can.
    init(bson bytes: UnsafeRawBufferPointer) {
        do throws(BSONError) {
            self.init(document: try BSONReader.document(bytes) { Self.fields.contains($0) })
        } catch {
            let identity = Self.identity(of: bytes)
            let id = identity.flatMap { try? Bot.id(of: $0) }
            let name = id?.text ?? identity?["_id"]?.string ?? ""
            self = .broken(id, DocumentError(id: name, field: error.path, problem: error.problem))
        }
    }

    private static func identity(of bytes: UnsafeRawBufferPointer) -> JSONObject? {
        for wanted in [["_id", "id"], ["id"], ["_id"]] {
            do throws(BSONError) { return try BSONReader.document(bytes) { wanted.contains($0) } } catch { continue }
        }
        return nil
    }
}
