import FoundationEssentials
import Model
import Yams

/// A mapping of a kubeconfig, and what it is called in messages.
struct KubeconfigEntry {
    let node: Node
    /// File and place, as `"/x/config": user "admin"`.
    let origin: String
    /// The folder that relative paths begin at.
    let folder: String

    /// A mapping inside; empty where there is none.
    func inner(_ field: String) throws(K8sError) -> KubeconfigEntry? {
        guard let value = value(field) else { return nil }
        guard value.mapping != nil else { throw problem(field, "is no mapping") }
        return KubeconfigEntry(node: value, origin: "\(origin), \(field)", folder: folder)
    }

    /// A field's text, whatever YAML would take it for (a token of digits is no number); nil where it is missing or empty.
    func text(_ field: String) throws(K8sError) -> String? {
        guard let value = value(field) else { return nil }
        guard let scalar = value.scalar else { throw problem(field, "has to be text") }
        guard !scalar.string.isEmpty else { return nil }
        guard !scalar.string.unicodeScalars.contains(where: { $0.value == 0 }) else {
            throw problem(field, "holds a NUL character")
        }
        return scalar.string
    }

    /// `true` or `false`; false where it is missing.
    func flag(_ field: String) throws(K8sError) -> Bool {
        switch try text(field) {
        case nil, "false": return false
        case "true": return true
        default: throw problem(field, "has to be true or false")
        }
    }

    /// A list inside; empty where there is none.
    func list(_ field: String) throws(K8sError) -> [Node] {
        guard let value = value(field) else { return [] }
        guard let sequence = value.sequence else { throw problem(field, "has to be a list") }
        return Array(sequence)
    }

    /// A path; a relative one begins at the file's folder.
    func path(_ field: String) throws(K8sError) -> String? {
        guard let path = try text(field) else { return nil }
        return path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// Bytes that stand in the file as base64.
    func data(_ field: String) throws(K8sError) -> [UInt8]? {
        guard let text = try text(field) else { return nil }
        guard let data = Data(base64Encoded: text.filter { !$0.isWhitespace }), !data.isEmpty else {
            throw problem(field, "is no base64")
        }
        return Array(data)
    }

    /// A field that is there, as JSON.
    func json(_ field: String) throws(K8sError) -> JSONValue? {
        var left = 10_000
        return try value(field).map { node throws(K8sError) in try json(node, field, depth: 0, &left) }
    }

    /// What is wrong with a field; never its value, which may be a credential.
    func problem(_ field: String, _ problem: String) -> K8sError {
        K8sError(.setting, "kubeconfig \(origin): \(field) \(problem)")
    }

    private func value(_ field: String) -> Node? {
        guard let value = node.mapping?[Node(field)] else { return nil }
        return value.null == nil ? value : nil
    }

    private func json(_ node: Node, _ field: String, depth: Int, _ left: inout Int) throws(K8sError) -> JSONValue {
        left -= 1
        guard left > 0, depth < 32 else { throw problem(field, "is too large or too deep") }
        switch node {
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard let key = key.scalar?.string else { throw problem(field, "has a key that is no text") }
                object[key] = try json(value, field, depth: depth + 1, &left)
            }
            return .object(object)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence { elements.append(try json(element, field, depth: depth + 1, &left)) }
            return .array(elements)
        case .scalar(let scalar):
            guard scalar.style == .plain else { return .string(scalar.string) }
            if node.null != nil { return .null }
            if let flag = node.bool { return .bool(flag) }
            if let integer = node.int { return .integer(Int64(integer)) }
            return .string(scalar.string)
        case .alias:
            throw problem(field, "holds an alias")
        }
    }
}
