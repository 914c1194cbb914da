import Foundation
import Model
import Yams

/// Reads a YAML file of settings: a mapping from flag names, without dashes, to values.
enum SettingsFile {
    /// - Throws: ``SettingError`` when it can't be read, is no mapping, or has a key that no command knows.
    static func read(_ path: String, known: Set<String>) throws(SettingError) -> JSONObject {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw SettingError("--config", "\(path.escapedForMessage) can't be read: \(error.localizedDescription)")
        }
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            throw SettingError(path, "is no YAML: \(error)")
        }
        guard let node else { return [:] }
        guard case .mapping(let mapping) = node else { throw SettingError(path, "expected a mapping of settings to values") }
        var object = JSONObject()
        for (key, value) in mapping {
            guard let name = key.string, known.contains(name) else {
                throw SettingError(path, "unknown setting \((key.string ?? "?").escapedForMessage); known are \(known.sorted().joined(separator: ", "))")
            }
            guard object[name] == nil else { throw SettingError(path, "\(name) stands there twice") }
            object[name] = try value.setting(name, path)
        }
        return object
    }

    /// The text of a file that holds a secret, without the line end.
    static func secret(_ path: String, source: String) throws(SettingError) -> String {
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return String(text.drop { $0.isNewline }.reversed().drop { $0.isNewline }.reversed())
        } catch {
            throw SettingError(source, "\(path.escapedForMessage) can't be read: \(error.localizedDescription)")
        }
    }
}

extension Node {
    /// The value as JSON; scalars stay text, so that they are parsed exactly as from a flag.
    fileprivate func setting(_ name: String, _ path: String) throws(SettingError) -> JSONValue {
        switch self {
        case .scalar(let scalar): return .string(scalar.string)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for node in sequence { elements.append(try node.setting(name, path)) }
            return .array(elements)
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping { object[key.string ?? ""] = try value.setting(name, path) }
            return .object(object)
        case .alias: throw SettingError(path, "\(name): aliases aren't allowed")
        }
    }
}
