import Model
import Util

/// Reads typed settings of an object inside a bot's config, and says precisely what is wrong with one; never its value.
struct ConfigFields {
    let id: BotID
    /// The object's own path, as `config.execution`.
    let path: String
    let object: JSONObject

    /// The object of a field; nil when it isn't set.
    init?(_ value: JSONValue?, path: String, id: BotID) throws(DocumentError) {
        switch value {
        case nil, .null: return nil
        case .object(let object):
            self.id = id
            self.path = path
            self.object = object
        case .some(let other):
            throw DocumentError(id: id.text, field: path, problem: "is \(other.kindName); expected an object")
        }
    }

    func failure(_ key: String, _ problem: String) -> DocumentError {
        DocumentError(id: id.text, field: "\(path).\(key)", problem: problem)
    }

    /// - Throws: `DocumentError` for a key that isn't among these.
    func allow(_ keys: [String], because hint: (String) -> String? = { _ in nil }) throws(DocumentError) {
        for key in object.keys where !keys.contains(key) {
            let list = keys.dropLast().joined(separator: ", ") + " and " + (keys.last ?? "")
            throw failure(key, hint(key) ?? "is unknown; allowed are \(list)")
        }
    }

    private func value(_ key: String) -> JSONValue? {
        // Not with `map`: there, `nil` would be the JSON value.
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    func text(_ key: String) throws(DocumentError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else { throw failure(key, "is \(value.kindName); expected text") }
        return text
    }

    func bool(_ key: String) throws(DocumentError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let flag) = value else { throw failure(key, "is \(value.kindName); expected true or false") }
        return flag
    }

    func word<Word: RawRepresentable & CaseIterable>(_ key: String) throws(DocumentError) -> Word?
    where Word.RawValue == String {
        guard let text = try text(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw failure(key, "is unknown; allowed are \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    func count(_ key: String, upTo limit: Int) throws(DocumentError) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .integer(let number) = value, (0...Int64(limit)).contains(number) else {
            throw failure(key, "is no whole number from 0 to \(limit)")
        }
        return Int(number)
    }

    func duration(
        _ key: String,
        from minimum: Duration = .milliseconds(1),
        to maximum: Duration? = nil
    ) throws(DocumentError) -> Duration? {
        guard let value = value(key) else { return nil }
        if value == .integer(0), minimum <= .zero { return .zero }
        guard case .string(let text) = value else {
            throw failure(key, "is \(value.kindName); expected a duration as \"30s\"")
        }
        // Without the text: no value of a config is ever shown.
        guard let duration = try? GoDuration.parse(text, minimum: minimum), maximum.map({ duration <= $0 }) ?? true
        else {
            let least = minimum > .zero ? " of at least \(GoDuration.string(minimum))" : ""
            let most = maximum.map { " and at most \(GoDuration.string($0))" } ?? ""
            throw failure(key, "is no duration\(least)\(most); expected one as \"30s\" or \"1m30s\"")
        }
        return duration
    }

    /// The delays that `initial` and `maximum` say; what isn't set is taken from the defaults.
    func backoff(_ defaults: Backoff) throws(DocumentError) -> Backoff {
        let initial = try duration("initial") ?? defaults.initial
        let maximum = try duration("maximum") ?? defaults.maximum
        do {
            return try Backoff(
                initial: initial,
                multiplier: defaults.multiplier,
                maximum: maximum,
                jitter: defaults.jitter
            )
        } catch {
            throw DocumentError(id: id.text, field: path, problem: error.message)
        }
    }
}
