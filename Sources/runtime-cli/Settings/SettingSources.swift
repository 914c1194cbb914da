import Model

/// Where settings come from, the first that has one wins: flags, the environment, a file; the default is the caller's.
struct SettingSources: Sendable {
    /// Values of flags by the flag's name without dashes.
    var flags: [String: String] = [:]
    /// The process's environment.
    var environment: [String: String] = [:]
    /// The settings file's top-level keys, named as the flags are.
    var file: JSONObject = [:]
    /// Where the settings file lies, for messages.
    var filePath = ""

    /// The text of a setting and where it stands; nil when it is set nowhere.
    ///
    /// An empty environment variable counts as not set, as compose files leave it.
    func text(_ key: SettingKey) throws(SettingError) -> (text: String, source: String)? {
        if let text = flags[key.name] { return (text, "--\(key.name)") }
        for variable in key.variables {
            if let text = environment[variable], !text.isEmpty { return (text, variable) }
        }
        guard let value = file[key.name] else { return nil }
        let source = "\(key.name) in \(filePath)"
        switch value {
        case .string(let text): return (text, source)
        case .bool, .integer, .double, .number: return (value.text, source)
        case .array(let elements):
            let texts = elements.compactMap(\.string)
            guard texts.count == elements.count else { throw SettingError(source, "is a list; expected texts in it") }
            return (texts.joined(separator: ","), source)
        case .null: return nil
        case .object(let object):
            var texts: [String] = []
            for (name, value) in object.members {
                guard let text = value.string else { throw SettingError(source, "\(name) is \(value.kindName); expected text") }
                texts.append("\(name)=\(text)")
            }
            return (texts.joined(separator: ","), source)
        }
    }

    /// A setting's value, or the default when it is set nowhere.
    /// - Throws: ``SettingError`` naming the source of a value that can't be used.
    func value<Value>(
        _ key: SettingKey,
        default fallback: @autoclosure () -> Value,
        _ parse: (String) throws -> Value
    ) throws(SettingError) -> Value {
        guard let (text, source) = try text(key) else { return fallback() }
        do { return try parse(text) } catch {
            throw SettingError(source, key.isSecret ? "can't be used" : "\(text.escapedForMessage): \(error)")
        }
    }
}

/// A setting's names.
struct SettingKey: Sendable, Hashable {
    /// The flag's name, and the key in a settings file.
    let name: String
    /// The environment variables that set it, in order.
    let variables: [String]
    /// Whether its value must not be shown.
    let isSecret: Bool

    init(_ name: String, _ variables: String..., isSecret: Bool = false) {
        self.name = name
        self.variables = variables
        self.isSecret = isSecret
    }
}

/// A setting that can't be used: which, where it stands, and what is allowed.
struct SettingError: Error, CustomStringConvertible {
    let description: String

    init(_ source: String, _ problem: String) { description = "\(source): \(problem)" }
}

/// What a parser of a setting's text found wrong.
struct SettingProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
