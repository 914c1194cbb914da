import Model

extension JSONValue {
    /// The elements of an array, or nil for anything else.
    var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// A whole number, or nil for anything else.
    var wholeNumber: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// A boolean, or nil for anything else.
    var flag: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    /// The members that are text, of an object; empty for anything else.
    var strings: [String: String] {
        var result: [String: String] = [:]
        for (key, value) in object?.members ?? [] {
            if let text = value.string { result[key] = text }
        }
        return result
    }

    /// An object of strings, its keys in order.
    init(strings: [String: String]) {
        var object = JSONObject()
        for key in strings.keys.sorted() { object[key] = strings[key].map { .string($0) } }
        self = .object(object)
    }
}

extension JSONObject {
    /// The value at a path of keys; nil where there is none.
    subscript(path: [String]) -> JSONValue? {
        get {
            guard let first = path.first else { return .object(self) }
            guard path.count > 1 else { return self[first] }
            return self[first]?.object?[Array(path.dropFirst())]
        }
        set {
            guard let first = path.first else { return }
            guard path.count > 1 else {
                self[first] = newValue
                return
            }
            // What isn't there needs no removal.
            guard newValue != nil || self[first] != nil else { return }
            var inner = self[first]?.object ?? JSONObject()
            inner[Array(path.dropFirst())] = newValue
            self[first] = .object(inner)
        }
    }
}
