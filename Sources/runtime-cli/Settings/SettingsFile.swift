import DirectoryStore
import Foundation
import Model
import Yams

/// Reads a YAML file of settings: a mapping from flag names, without dashes, to values.
enum SettingsFile {
    private static let sizeLimit = 1 << 20

    /// - Throws: ``SettingError`` when it can't be read, is no mapping, or has a key that no command knows.
    static func read(_ path: String, known: Set<String>) throws(SettingError) -> JSONObject {
        let text = try text(of: path, source: "--config")
        let areKeysText: Bool
        let node: Node?
        do {
            areKeysText = try YAMLKeys.areText(text)
            node = areKeysText ? try Yams.compose(yaml: text) : nil
        } catch {
            throw SettingError(path, "is no YAML: \(problem(error))")
        }
        guard areKeysText else { throw SettingError(path, "a key must be text, not an alias or a collection") }
        guard let node, !node.isEmptyValue else { return [:] }
        guard case .mapping(let mapping) = node else {
            throw SettingError(path, "expected a mapping of settings to values")
        }
        var object = JSONObject()
        for (key, value) in mapping {
            guard let name = key.string, known.contains(name) else {
                let name = key.string?.escapedForMessage ?? "that is no text"
                throw SettingError(path, "unknown setting \(name); known are \(known.sorted().joined(separator: ", "))")
            }
            guard object[name] == nil else { throw SettingError(path, "\(name) stands there twice") }
            object[name] = try value.setting("\(name) in \(path)")
        }
        return object
    }

    /// The text of a file that holds a secret, without line ends around it.
    static func secret(_ path: String, source: String) throws(SettingError) -> String {
        let text = try text(of: path, source: source)
        let secret = String(text.drop { $0.isNewline }.reversed().drop { $0.isNewline }.reversed())
        guard !secret.isEmpty else {
            throw SettingError(source, "\(path.escapedForMessage) is empty; expected the secret in it")
        }
        return secret
    }

    private static func text(of path: String, source: String) throws(SettingError) -> String {
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            data = try file.read(upToCount: sizeLimit + 1) ?? Data()
        } catch {
            throw SettingError(source, "\(path.escapedForMessage) can't be read: \(error.systemReason)")
        }
        guard data.count <= sizeLimit else {
            throw SettingError(source, "\(path.escapedForMessage) is larger than 1 MiB, so it isn't what is meant")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw SettingError(source, "\(path.escapedForMessage) isn't UTF-8 text")
        }
        return text
    }

    /// What is wrong and where. The parser's own description quotes the line, which may hold a secret.
    private static func problem(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            "line \(context.mark.line): \(duplicates.sorted().joined(separator: ", ").escapedForMessage) stands there twice"
        case .reader(let problem, _, _, _): problem
        default: "it can't be parsed"
        }
    }
}

extension Node {
    /// Whether it is nothing at all, as after a key without a value.
    fileprivate var isEmptyValue: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// The value as JSON; scalars stay text, so that they are parsed exactly as from a flag. Nothing may be nested deeper than
    /// one level, which also keeps aliases from multiplying.
    fileprivate func setting(_ source: String, isInside: Bool = false) throws(SettingError) -> JSONValue {
        switch self {
        case .scalar(let scalar): return isEmptyValue ? .null : .string(scalar.string)
        case .sequence(let sequence) where !isInside:
            var elements: [JSONValue] = []
            for node in sequence { elements.append(try node.setting(source, isInside: true)) }
            return .array(elements)
        case .mapping(let mapping) where !isInside:
            var object = JSONObject()
            for (key, value) in mapping {
                guard let name = key.string else { throw SettingError(source, "has a key that is no text") }
                object[name] = try value.setting(source, isInside: true)
            }
            return .object(object)
        case .sequence, .mapping: throw SettingError(source, "is nested too deep; expected texts in it")
        case .alias: throw SettingError(source, "aliases aren't allowed")
        }
    }
}
