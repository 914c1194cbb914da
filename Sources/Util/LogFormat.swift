internal import Logging

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: time, level, logger, message, then `key=value` in order of the keys.
    case text
    /// For machines: a JSON object with `time`, `level`, `logger`, `message` and, where there is any, `metadata`.
    case json
}

extension LogRecord {
    func text(isColoured: Bool) -> String {
        let padded = level.rawValue.uppercased() + String(repeating: " ", count: 8 - level.rawValue.count)
        let shownLevel = isColoured ? "\u{1B}[\(level.colour)m\(padded)\u{1B}[0m" : padded
        var line = RFC3339.string(millisecondsSince1970: time.millisecondsSince1970)
        line += " \(shownLevel) \(label.onOneLine): \(message.onOneLine)"
        if case .object(let members) = metadata {
            for (name, value) in members {
                line += " \(name.quotedIfNeeded)=\(value.text)"
            }
        }
        return line
    }

    var json: String {
        let time = RFC3339.string(millisecondsSince1970: time.millisecondsSince1970)
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\""
        line += ",\"logger\":\(label.jsonQuoted),\"message\":\(message.jsonQuoted)"
        if case .object(let members) = metadata, !members.isEmpty {
            line += ",\"metadata\":\(metadata.json)"
        }
        return line + "}"
    }
}

extension LogValue {
    /// A plain text as a bare word where that is unambiguous, everything else as JSON.
    fileprivate var text: String {
        guard case .text(let text) = self else { return json }
        return text.quotedIfNeeded
    }

    fileprivate var json: String {
        switch self {
        case .text(let text): text.jsonQuoted
        case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { "\($0.name.jsonQuoted):\($0.value.json)" }.joined(separator: ",") + "}"
        }
    }
}

extension String {
    /// Quoted where a reader couldn't tell where the value ends.
    fileprivate var quotedIfNeeded: String {
        let isPlain = unicodeScalars.allSatisfy {
            !$0.disturbsText && !$0.properties.isWhitespace && $0 != "\"" && $0 != "=" && $0 != "\\"
        }
        return isPlain && !isEmpty ? self : jsonQuoted
    }

    /// Without quotes, but with what would break the line escaped.
    fileprivate var onOneLine: String {
        var text = ""
        for scalar in unicodeScalars {
            text += scalar.disturbsText ? scalar.escapedInQuotes : String(scalar)
        }
        return text
    }
}

extension Logger.Level {
    /// The terminal's colour code (SGR).
    fileprivate var colour: Int {
        switch self {
        case .trace, .debug: 90
        case .info: 32
        case .notice: 36
        case .warning: 33
        case .error: 31
        case .critical: 35
        }
    }
}
