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

    /// The places, those that win first.
    enum Place: CaseIterable { case flags, environment, file }

    /// The text of a setting and where it stands; nil when it is set nowhere.
    ///
    /// An empty environment variable counts as not set, as compose files leave it, and so does a key of the file without a
    /// value.
    func text(_ key: SettingKey) throws(SettingError) -> SettingText? {
        try first(of: key)
    }

    /// The first place that has one of these settings, which say the same thing in several ways.
    /// - Throws: ``SettingError`` when one place has two of them.
    func first(of keys: SettingKey...) throws(SettingError) -> SettingText? {
        for place in Place.allCases {
            var found: SettingText?
            for key in keys {
                guard let next = try text(key, in: place) else { continue }
                if let found {
                    throw SettingError(next.source, "says the same as \(found.source), which is set too: leave one out")
                }
                found = next
            }
            if let found { return found }
        }
        return nil
    }

    private func text(_ key: SettingKey, in place: Place) throws(SettingError) -> SettingText? {
        switch place {
        case .flags:
            guard let text = flags[key.name] else { return nil }
            return try SettingText(key: key, text: text, place: place, source: "--\(key.name)").checked()
        case .environment:
            for variable in key.variables {
                guard let text = environment[variable], !text.isEmpty else { continue }
                return try SettingText(key: key, text: text, place: place, source: variable).checked()
            }
            return nil
        case .file:
            let source = "\(key.name) in \(filePath)"
            guard let text = try fileText(key, source: source) else { return nil }
            return try SettingText(key: key, text: text, place: place, source: source).checked()
        }
    }

    private func fileText(_ key: SettingKey, source: String) throws(SettingError) -> String? {
        guard let value = file[key.name], value != .null else { return nil }
        if let text = value.string { return text }
        guard key.isList else { throw SettingError(source, "is \(value.kindName); expected a single value") }
        var texts: [String] = []
        switch value {
        case .array(let elements):
            for element in elements {
                guard let text = element.string else {
                    throw SettingError(source, "has \(element.kindName) in it; expected texts")
                }
                texts.append(text)
            }
        case .object(let object):
            for (name, value) in object.members {
                guard let text = value.string else {
                    throw SettingError(source, "\(name.escapedForMessage) is \(value.kindName); expected text")
                }
                texts.append("\(name)=\(text)")
            }
        case .null, .bool, .integer, .double, .number, .string:
            throw SettingError(source, "is \(value.kindName); expected texts")
        }
        return texts.joined(separator: ",")
    }

    /// A setting's value, or the default when it is set nowhere.
    /// - Throws: ``SettingError`` naming the source of a value that can't be used.
    func value<Value>(
        _ key: SettingKey,
        default fallback: @autoclosure () -> Value,
        _ parse: (String) throws -> Value
    ) throws(SettingError) -> Value {
        try text(key)?.parsed(parse) ?? fallback()
    }
}

/// The text of a setting, and where it stands.
struct SettingText: Sendable {
    let key: SettingKey
    let text: String
    let place: SettingSources.Place
    /// What to call it in a message: the flag, the variable, or the key and its file.
    let source: String

    /// - Throws: ``SettingError`` naming the source of a value that can't be used.
    func parsed<Value>(_ parse: (String) throws -> Value) throws(SettingError) -> Value {
        do { return try parse(text) } catch {
            guard !key.isSecret else { throw SettingError(source, "can't be used") }
            let problem = "\(error)"
            let quoted = text.escapedForMessage
            throw SettingError(source, problem.contains(quoted) ? problem : "\(quoted): \(problem)")
        }
    }

    /// No setting can be empty or hold a NUL character: neither a path nor anything else does.
    fileprivate func checked() throws(SettingError) -> SettingText {
        guard !text.isEmpty else { throw SettingError(source, "is empty; leave it out to have the default") }
        guard !text.utf8.contains(0) else { throw SettingError(source, "has a NUL character in it") }
        return self
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
