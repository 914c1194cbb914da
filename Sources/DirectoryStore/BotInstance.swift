import Model

/// One bot that the store lists: its id, the folder with its program, and its parameters.
struct BotInstance: Sendable {
    let id: BotID
    /// The name of the folder with the program.
    let folder: String
    /// Whether it is switched on; nil leaves it to `config.enabled`.
    let enabled: Bool?
    /// Its parameters; nil means the folder's `config.json`.
    let config: JSONObject?

    /// The instance that a folder stands for when there is no list.
    init(folder: String) {
        id = BotID(folder)
        self.folder = folder
        enabled = nil
        config = nil
    }

    /// Reads one entry of a list.
    /// - Throws: `DocumentError` for a key that is unknown, missing, or of the wrong type.
    init(entry: JSONValue, position: Int) throws(DocumentError) {
        let place = "bots.yaml, entry \(position)"
        guard case .object(let object) = entry else {
            throw DocumentError(
                id: place,
                field: "entry",
                problem: "is \(entry.kindName); expected a mapping with id and bot"
            )
        }
        guard let text = object["id"] else {
            throw DocumentError(id: place, field: "id", problem: "is missing; expected text")
        }
        guard case .string(let text) = text else {
            throw DocumentError(
                id: place,
                field: "id",
                problem: "is \(text.kindName); expected text (in quotes, if it looks like a number)"
            )
        }
        id = try BotID(validating: text)
        for key in object.keys where !["id", "bot", "enabled", "config"].contains(key) {
            throw DocumentError(id: id.text, field: key, problem: "is unknown; allowed are id, bot, enabled and config")
        }
        switch object["bot"] {
        case .string(let name): folder = name
        case nil: folder = text
        case .some(let other):
            throw DocumentError(id: id.text, field: "bot", problem: "is \(other.kindName); expected a folder's name")
        }
        switch object["enabled"] {
        case nil, .null: enabled = nil
        case .bool(let flag): enabled = flag
        case .some(let other):
            throw DocumentError(id: id.text, field: "enabled", problem: "is \(other.kindName); expected true or false")
        }
        switch object["config"] {
        case nil, .null: config = nil
        case .object(let object): config = object
        case .some(let other):
            throw DocumentError(id: id.text, field: "config", problem: "is \(other.kindName); expected a mapping")
        }
    }
}

/// One entry of a directory's list: a bot, or what is wrong with it.
enum BotEntry: Sendable {
    case instance(BotInstance)
    /// Broken; whose it is, where even that can be told.
    case broken(BotID?, DocumentError)

    var id: BotID? {
        switch self {
        case .instance(let instance): instance.id
        case .broken(let id, _): id
        }
    }

    /// Reads an entry; `folders` are those that are there.
    init(_ value: JSONValue, position: Int, folders: Set<String>) {
        do throws(DocumentError) {
            let instance = try BotInstance(entry: value, position: position)
            // A folder is one of those that are there, never a path.
            guard folders.contains(instance.folder) else {
                throw DocumentError(
                    id: instance.id.text,
                    field: "bot",
                    problem: "names the folder \(instance.folder.escapedForMessage), which isn't there"
                )
            }
            self = .instance(instance)
        } catch {
            self = .broken(value.object?["id"]?.string.flatMap { try? BotID(validating: $0) }, error)
        }
    }
}
