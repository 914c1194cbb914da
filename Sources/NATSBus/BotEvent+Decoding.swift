import Control
import Model

extension BotEvent {
    private enum Operation: String, CaseIterable {
        case created, updated, deleted

        /// The same as an imperative, which `type` may have.
        var stem: Substring { rawValue.dropLast() }
    }

    /// Reads an event from a message.
    ///
    /// Both forms are taken: the flat one, and the one wrapped in `type`, `entity_id`, `data`, `timestamp`. The subject
    /// decides what happened; a `type` that says something else makes the event unusable. Unknown fields are passed over.
    ///
    /// - Parameters:
    ///   - subject: `the0.bot.created`, `the0.bot.updated` or `the0.bot.deleted`, or the same with `bot-schedule`.
    ///   - payload: UTF-8 JSON.
    ///   - kind: whose events are read; a subject of others is an error.
    /// - Throws: ``BotEventError`` saying what is wrong.
    public init(subject: String, payload: [UInt8], kind: BotEventKind = .bot) throws(BotEventError) {
        let prefix = kind.prefix
        guard subject.hasPrefix(prefix), let operation = Operation(rawValue: String(subject.dropFirst(prefix.count)))
        else {
            throw BotEventError(
                "subject \(subject.escapedForMessage) is unknown; "
                    + "expected \(prefix)created, \(prefix)updated or \(prefix)deleted"
            )
        }
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONValue.parse(payload) } catch { throw BotEventError("\(error)") }
        guard case .object(let object) = value else {
            throw BotEventError("the payload is \(value.kindName); expected an object")
        }
        let (id, fields) = try Self.unwrapped(object, operation, kind)
        self =
            switch operation {
            case .created: .created(try Self.document(id, fields, kind, isWhole: true))
            case .updated: .updated(try Self.document(id, fields, kind, isWhole: false))
            case .deleted: .deleted(id)
            }
    }

    private static func unwrapped(
        _ object: JSONObject,
        _ operation: Operation,
        _ kind: BotEventKind
    ) throws(BotEventError) -> (id: BotID, fields: JSONObject) {
        // A flat event may have a field `data` of its own, but always its id.
        let isWrapped = !has(object, "id") && (has(object, "data") || has(object, "entity_id"))
        guard isWrapped else { return (try id(object, "id"), object) }
        let named = has(object, "entity_id") ? try id(object, "entity_id") : nil
        try check(object["type"], operation, kind, named)
        let data: JSONObject
        switch object["data"] {
        case .object(let fields): data = fields
        // The id is all there is to say of a bot that is gone.
        case nil where operation == .deleted, .null where operation == .deleted: data = JSONObject()
        case nil: throw BotEventError(id: named?.text, "data is missing; expected an object")
        case .some(let other): throw BotEventError(id: named?.text, "data is \(other.kindName); expected an object")
        }
        guard has(data, "id") else {
            guard let named else { throw BotEventError("data.id is missing; expected text") }
            return (named, data)
        }
        let inner = try id(data, "id", within: "data.")
        guard named == nil || named == inner else {
            throw BotEventError(id: inner.text, "entity_id names another bot than data.id; expected the same")
        }
        return (inner, data)
    }

    private static func has(_ object: JSONObject, _ field: String) -> Bool {
        switch object[field] {
        case nil, .null: false
        default: true
        }
    }

    private static func id(_ object: JSONObject, _ field: String, within: String = "") throws(BotEventError) -> BotID {
        switch object[field] {
        case .string(let text):
            do throws(DocumentError) { return try BotID(validating: text) } catch {
                throw BotEventError(id: error.id.isEmpty ? nil : error.id, "\(within)\(field) \(error.problem)")
            }
        case nil, .null: throw BotEventError("\(within)id is missing; expected text")
        case .some(let other): throw BotEventError("\(within)\(field) is \(other.kindName); expected text")
        }
    }

    /// Senders write `type` in several ways (`created`, `bot.created`, `BOT_CREATE`): only what contradicts the subject
    /// is an error.
    private static func check(
        _ type: JSONValue?,
        _ operation: Operation,
        _ kind: BotEventKind,
        _ id: BotID?
    ) throws(BotEventError) {
        let text: String
        switch type {
        case nil, .null: return
        case .string(let string): text = string.lowercased()
        case .some(let other): throw BotEventError(id: id?.text, "type is \(other.kindName); expected text")
        }
        let contradicts =
            Operation.allCases.contains { $0 != operation && text.contains($0.stem) } || kind.isContradicted(by: text)
        guard !contradicts else {
            throw BotEventError(
                id: id?.text,
                "type names another event than the subject; expected \(kind.rawValue).\(operation.rawValue)"
            )
        }
    }

    /// - Parameter isWhole: whether every part that a bot needs must be there: what is added must be usable, while a
    ///   change may be one part.
    private static func document(
        _ id: BotID,
        _ object: JSONObject,
        _ kind: BotEventKind,
        isWhole: Bool
    ) throws(BotEventError) -> BotDocument {
        var fields = JSONObject()
        for name in ["config", "custom"] where has(object, name) {
            guard case .object? = object[name] else {
                throw BotEventError(
                    id: id.text,
                    "\(name) is \(object[name]?.kindName ?? "missing"); expected an object"
                )
            }
            fields[name] = object[name]
        }
        if has(object, "enabled") {
            guard case .bool? = object["enabled"] else {
                throw BotEventError(
                    id: id.text,
                    "enabled is \(object["enabled"]?.kindName ?? "missing"); expected a boolean"
                )
            }
            fields["enabled"] = object["enabled"]
        }
        guard !fields.isEmpty else {
            throw BotEventError(id: id.text, "there is nothing to write; expected config, custom or enabled")
        }
        // What the reading of the database would refuse is refused here, before it replaces what is good.
        do throws(DocumentError) { try kind.check(id, fields, isWhole: isWhole) } catch {
            throw BotEventError(id: id.text, "\(error.field) \(error.problem)")
        }
        return BotDocument(id: id, fields: fields)
    }
}
