extension Bot {
    /// Reads a live bot from its document; unknown fields are passed over.
    /// - Throws: ``DocumentError`` naming the first field that is missing or of the wrong type.
    public init(document: JSONObject) throws(DocumentError) {
        let id = try Bot.id(of: document)
        let fields = DocumentReader(id: id.text, path: "", object: document)
        let top = try fields.bool("enabled")
        let config = try fields.object("config")
        let custom = try CustomBotVersion(fields.reader("custom"))
        self.init(
            id: id,
            isEnabled: Bot.enabled(top: top, config: config?["enabled"]),
            config: config ?? JSONObject(),
            custom: custom
        )
    }

    /// Whether a document says clearly that its bot is off, whatever else is wrong with it.
    public static func isSwitchedOff(_ document: JSONObject) -> Bool {
        switch document["enabled"] {
        case .bool(let flag): !flag
        case nil, .null: !enabled(top: nil, config: document["config"]?.object?["enabled"])
        case .some: false
        }
    }

    /// The id of a document, read on its own so that a document broken elsewhere can still be named.
    /// - Throws: ``DocumentError`` when there is no usable id.
    public static func id(of document: JSONObject) throws(DocumentError) -> BotID {
        let named = document["_id"]?.string ?? ""
        switch document["id"] {
        case .string(let text): return try BotID(validating: text)
        case nil: throw DocumentError(id: named, field: "id", problem: "is missing; expected text")
        case .some(let other):
            throw DocumentError(id: named, field: "id", problem: "is \(other.kindName); expected text")
        }
    }
}

extension BotSchedule {
    /// Reads a schedule from its document; unknown fields are passed over, and so is what is wrong with its cursor.
    /// - Throws: ``DocumentError`` naming the first field that is missing or of the wrong type.
    public init(document: JSONObject) throws(DocumentError) {
        let bot = try Bot(document: document)
        let schedule = try DocumentReader(id: bot.id.text, path: "config.", object: bot.config).string("schedule")
        guard let schedule else {
            throw DocumentError(
                id: bot.id.text,
                field: "config.schedule",
                problem: "is missing; expected a cron expression"
            )
        }
        let value = document["next_execution_time"]
        let basis = document["cursor_basis"]?.string
        self.init(
            bot: bot,
            schedule: schedule,
            cursor: ScheduleCursor(value: value == .null ? nil : value, basis: basis)
        )
    }
}

extension CustomBotVersion {
    fileprivate init(_ fields: DocumentReader) throws(DocumentError) {
        self.init(
            version: try fields.string("version") ?? "",
            code: .object(key: try fields.required("filePath")),
            updatedAt: fields.object["updatedAt"]?.string,
            config: try CustomBotConfig(fields.reader("config"))
        )
    }
}

extension CustomBotConfig {
    /// Reads the fields of a `bot-config.yaml`, already turned into JSON; `path` is what error messages put before a field.
    /// - Throws: ``DocumentError`` naming the first field that is missing or of the wrong type.
    public init(document: JSONObject, id: String, path: String = "") throws(DocumentError) {
        try self.init(DocumentReader(id: id, path: path, object: document))
    }

    fileprivate init(_ fields: DocumentReader) throws(DocumentError) {
        let paths = try fields.reader("entrypoints")
        var entrypoints: [String: String] = [:]
        for key in paths.object.keys { entrypoints[key] = try paths.string(key) }
        if entrypoints["bot"]?.isEmpty ?? true { _ = try paths.required("bot") }
        self.init(
            name: try fields.string("name") ?? "",
            runtime: try fields.required("runtime"),
            type: try fields.string("type") ?? "realtime",
            entrypoints: entrypoints
        )
    }
}

/// Reads typed fields of one object and says precisely what is wrong with one.
struct DocumentReader {
    let id: String
    let path: String
    let object: JSONObject

    private func failure(_ field: String, _ problem: String) -> DocumentError {
        DocumentError(id: id, field: path + field, problem: problem)
    }

    private func value(_ field: String) -> JSONValue? {
        let value = object[field]
        return value == .null ? nil : value
    }

    func reader(_ field: String) throws(DocumentError) -> DocumentReader {
        guard let object = try object(field) else { throw failure(field, "is missing; expected an object") }
        return DocumentReader(id: id, path: "\(path)\(field).", object: object)
    }

    func object(_ field: String) throws(DocumentError) -> JSONObject? {
        guard let value = value(field) else { return nil }
        guard case .object(let object) = value else {
            throw failure(field, "is \(value.kindName); expected an object")
        }
        return object
    }

    func string(_ field: String) throws(DocumentError) -> String? {
        guard let value = value(field) else { return nil }
        guard case .string(let text) = value else { throw failure(field, "is \(value.kindName); expected text") }
        guard !text.utf8.contains(0) else { throw failure(field, "holds a NUL character; any other text is allowed") }
        return text
    }

    func required(_ field: String) throws(DocumentError) -> String {
        guard let text = try string(field) else { throw failure(field, "is missing; expected text") }
        guard !text.isEmpty else { throw failure(field, "is empty; expected text") }
        return text
    }

    func bool(_ field: String) throws(DocumentError) -> Bool? {
        guard let value = value(field) else { return nil }
        guard case .bool(let flag) = value else { throw failure(field, "is \(value.kindName); expected a boolean") }
        return flag
    }
}
