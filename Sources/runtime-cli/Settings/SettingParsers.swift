import Model
import Runtime
import Util

/// Turns the text of settings into values; errors say what is allowed.
enum SettingParser {
    static func bool(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: throw SettingProblem("expected true or false")
        }
    }

    static func integer(_ range: ClosedRange<Int64>) -> (String) throws -> Int64 {
        { text in
            guard let value = Int64(text), range.contains(value) else {
                throw SettingProblem("expected a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
    }

    static func duration(from minimum: Duration) -> (String) throws -> Duration {
        { text in
            do throws(UtilError) { return try GoDuration.parse(text, minimum: minimum) } catch {
                throw SettingProblem(error.message)
            }
        }
    }

    static func bytes(_ text: String) throws -> Int64 {
        let amount = try quantity(text).roundedUp
        guard amount > 0 else { throw SettingProblem("expected more than 0") }
        return amount
    }

    static func millicores(_ text: String) throws -> Int64 {
        let amount = try quantity(text).millis
        guard amount > 0 else { throw SettingProblem("expected more than 0") }
        guard amount <= Resources.mostCPU else { throw SettingProblem("expected at most \(Resources.mostCPU / 1000)") }
        return amount
    }

    private static func quantity(_ text: String) throws -> Quantity {
        do { return try Quantity(text) } catch { throw SettingProblem(error.description) }
    }

    static func network(_ text: String) throws -> Sandbox.Network {
        switch text {
        case "isolated": return .isolated
        case "host": return .host
        default:
            let allowed = text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            }
            guard allowed, !text.isEmpty, text.utf8.count <= 128, text != "none" else {
                throw SettingProblem("expected isolated, host, or the name of a network")
            }
            return .named(text)
        }
    }

    static func user(_ text: String) throws -> Sandbox.UserID {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // Engines take no more than 31 bits.
        guard (1...2).contains(parts.count), let user = UInt32(parts[0]), let group = UInt32(parts[parts.count - 1]),
            max(user, group) <= UInt32(Int32.max)
        else {
            throw SettingProblem("expected numbers up to 2147483647 as 65532:65532 (user:group)")
        }
        return Sandbox.UserID(user: user, group: group)
    }

    /// `name=image` pairs, separated by commas.
    static func images(_ text: String) throws -> [String: String] {
        var images: [String: String] = [:]
        for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let mark = pair.firstIndex(of: "="), mark > pair.startIndex else {
                throw SettingProblem("expected pairs as python3.11=registry/python:3.11-slim, separated by commas")
            }
            let name = String(pair[..<mark])
            let image = String(pair[pair.index(after: mark)...])
            guard images.updateValue(image, forKey: name) == nil else {
                throw SettingProblem("\(name.escapedForMessage) stands there twice")
            }
        }
        return images
    }

    static func instance(_ text: String) throws -> String {
        let allowed = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
        guard allowed, (1...40).contains(text.utf8.count), text.first != "-", text.last != "-" else {
            throw SettingProblem("expected 1 to 40 of a-z, 0-9 and '-', not at an end")
        }
        return text
    }
}
