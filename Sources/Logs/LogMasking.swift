public import Model
public import Runtime
import Util

/// Takes values of a bot's parameters that look like credentials out of its lines.
public struct LogMasking: Sendable {
    /// Shorter values are left alone: masking them would tear holes into ordinary words and thereby give them away.
    static let shortest = 6

    /// What to look for, by its first byte.
    private var values: [UInt8: [[UInt8]]] = [:]

    /// Masks the values of a bot's parameters whose names say that they are credentials, such as `api_key`.
    public init(config: JSONObject) {
        var found: Set<[UInt8]> = []
        Self.collect(.object(config), isCredential: false, into: &found)
        for value in found {
            guard let first = value.first else { continue }
            values[first, default: []].append(value)
        }
        // The longest first, so that of two values of which one begins the other nothing is left.
        for first in values.keys { values[first]?.sort { $0.count > $1.count } }
    }

    /// Whether there is nothing to mask.
    public var isEmpty: Bool { values.isEmpty }

    /// The line with `***` in the place of each value.
    public func masked(_ line: OutputText) -> OutputText {
        guard !values.isEmpty else { return line }
        var kept: [UInt8] = []
        var plain = 0
        var index = 0
        while index < line.bytes.count {
            if let candidates = values[line.bytes[index]],
                let value = candidates.first(where: { line.bytes[index...].starts(with: $0) })
            {
                kept += line.bytes[plain..<index]
                kept += Secrets.mask.utf8
                index += value.count
                plain = index
            } else {
                index += 1
            }
        }
        guard plain > 0 else { return line }
        var masked = line
        masked.bytes = kept + line.bytes[plain...]
        return masked
    }

    private static func collect(_ value: JSONValue, isCredential: Bool, into found: inout Set<[UInt8]>) {
        switch value {
        case .object(let object):
            for key in object.keys {
                guard let member = object[key] else { continue }
                collect(member, isCredential: isCredential || names(credential: key), into: &found)
            }
        case .array(let items):
            for item in items { collect(item, isCredential: isCredential, into: &found) }
        case .string(let text) where isCredential && text.utf8.count >= shortest:
            found.insert(Array(text.utf8))
            // As it stands in a line of JSON.
            found.insert(Array(text.jsonQuoted.dropFirst().dropLast().utf8))
        case .integer(let number) where isCredential && String(number).utf8.count >= shortest:
            found.insert(Array(String(number).utf8))
        case .number(let text) where isCredential && text.utf8.count >= shortest:
            found.insert(Array(text.utf8))
        default: return
        }
    }

    private static let whole: Set = [
        "pass", "pwd", "pw", "key", "sig", "auth", "jwt", "authorization", "mnemonic", "pin",
    ]
    private static let parts = [
        "password", "passwd", "passphrase", "secret", "token", "credential", "signature", "apikey", "accesskey",
        "privatekey",
    ]

    private static func names(credential name: String) -> Bool {
        let bare = name.lowercased().filter { !"-_. ".contains($0) }
        return whole.contains(bare) || parts.contains { bare.contains($0) } || bare.hasSuffix("key")
    }
}
