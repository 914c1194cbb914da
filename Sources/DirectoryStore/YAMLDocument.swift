import Model
import Yams

/// Reads YAML written by people into JSON values, with bounds on what a file may unfold to.
enum YAMLDocument {
    /// The most bytes a file may have.
    static let longest = 1 << 20
    /// The most values a file may hold, counting each use of an anchor.
    static let mostNodes = 100_000
    /// How deeply values may be nested.
    static let deepest = 64

    /// - Throws: ``YAMLProblem`` with line and column where they are known.
    static func parse(_ text: String) throws(YAMLProblem) -> JSONValue {
        guard text.utf8.count <= longest else { throw YAMLProblem("is longer than \(longest) bytes") }
        let areKeysText: Bool
        let node: Node?
        do {
            areKeysText = try YAMLKeys.areText(text)
            node = areKeysText ? try Yams.compose(yaml: text) : nil
        } catch let error as YamlError {
            throw YAMLProblem(error)
        } catch {
            throw YAMLProblem("is no YAML: \(error)")
        }
        guard areKeysText else { throw YAMLProblem("a key must be text, not an alias or a collection") }
        guard let node else { return .null }
        var converter = NodeConverter()
        return try converter.value(node, depth: 0)
    }
}

/// What is wrong with a YAML text.
struct YAMLProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String, at mark: Mark? = nil) {
        self.description = mark.map { "line \($0.line), column \($0.column): \(description)" } ?? description
    }

    init(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init("is no YAML: \(problem)", at: mark)
        case .duplicatedKeysInMapping(let duplicates, _):
            self.init("a key stands twice in one mapping: \(duplicates.count) of them")
        default:
            self.init("is no YAML that can be read")
        }
    }
}

private struct NodeConverter {
    var remaining = YAMLDocument.mostNodes

    mutating func value(_ node: Node, depth: Int) throws(YAMLProblem) -> JSONValue {
        remaining -= 1
        guard remaining >= 0 else {
            throw YAMLProblem("unfolds to more than \(YAMLDocument.mostNodes) values", at: node.mark)
        }
        guard depth <= YAMLDocument.deepest else {
            throw YAMLProblem("is nested more than \(YAMLDocument.deepest) deep", at: node.mark)
        }
        switch node {
        case .scalar(let scalar):
            return try self.scalar(node, scalar)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence { elements.append(try value(element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, member) in mapping {
                guard case .scalar(let scalar) = key else { throw YAMLProblem("a key must be text", at: key.mark) }
                guard object[scalar.string] == nil else {
                    throw YAMLProblem("the key \(scalar.string.escapedForMessage) stands twice", at: key.mark)
                }
                object[scalar.string] = try value(member, depth: depth + 1)
            }
            return .object(object)
        case .alias:
            throw YAMLProblem("an alias names no anchor", at: node.mark)
        }
    }

    /// Plain scalars are what YAML's core schema takes them for; dates stay text, as bots expect them.
    private func scalar(_ node: Node, _ scalar: Node.Scalar) throws(YAMLProblem) -> JSONValue {
        guard scalar.style == .plain else { return .string(scalar.string) }
        if node.null != nil { return .null }
        if let flag = node.bool { return .bool(flag) }
        if let number = try? JSONValue.parse(scalar.string), number.isNumber { return number }
        if let integer = node.int { return .integer(Int64(integer)) }
        if let double = node.float {
            guard double.isFinite else {
                throw YAMLProblem("\(scalar.string) is no number that JSON has", at: node.mark)
            }
            return .double(double)
        }
        return .string(scalar.string)
    }
}

extension JSONValue {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .double, .number: true
        default: false
        }
    }
}
