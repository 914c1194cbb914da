/// An element of a small XML document, as S3 answers with: names without prefixes, text and children, attributes skipped.
struct XMLNode: Sendable, Hashable {
    let name: String
    fileprivate(set) var text = ""
    fileprivate(set) var children: [XMLNode] = []

    /// The text of the first child of that name.
    func text(of name: String) -> String? { children.first { $0.name == name }?.text }

    /// Reads a document; nil for anything that isn't well-formed enough, or nests deeper than such answers do.
    static func parse(_ bytes: [UInt8]) -> XMLNode? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = XMLReader(rest: bytes[...])
        return reader.document()
    }
}

private struct XMLReader {
    private static let maximumDepth = 16

    var rest: ArraySlice<UInt8>

    mutating func document() -> XMLNode? {
        var open: [XMLNode] = []
        while true {
            let text = takeText()
            if !open.isEmpty {
                guard let decoded = decodeEntities(text) else { return nil }
                open[open.count - 1].text += decoded
            }
            guard !rest.isEmpty else { return nil }
            if skip("<?") {
                guard take(until: "?>") != nil else { return nil }
            } else if skip("<!--") {
                guard take(until: "-->") != nil else { return nil }
            } else if skip("<![CDATA[") {
                guard let data = take(until: "]]>"), !open.isEmpty else { return nil }
                open[open.count - 1].text += String(decoding: data, as: UTF8.self)
            } else if skip("</") {
                guard let tag = take(until: ">"), let node = open.popLast(), node.name == name(in: tag) else {
                    return nil
                }
                if open.isEmpty { return node }
                open[open.count - 1].children.append(node)
            } else if !skip("<!"), skip("<") {
                guard let tag = take(until: ">"), let name = name(in: tag), open.count < Self.maximumDepth else {
                    return nil
                }
                let node = XMLNode(name: name)
                if tag.last != UInt8(ascii: "/") {
                    open.append(node)
                } else if open.isEmpty {
                    return node
                } else {
                    open[open.count - 1].children.append(node)
                }
            } else {
                // A document type: S3 has none, and entities of its own are not for us.
                return nil
            }
        }
    }

    private mutating func takeText() -> ArraySlice<UInt8> {
        let text = rest.prefix { $0 != UInt8(ascii: "<") }
        rest = rest[text.endIndex...]
        return text
    }

    private mutating func skip(_ mark: StaticString) -> Bool {
        let isThere = mark.withUTF8Buffer { rest.starts(with: $0) }
        if isThere { rest = rest.dropFirst(mark.utf8CodeUnitCount) }
        return isThere
    }

    private mutating func take(until mark: String) -> ArraySlice<UInt8>? {
        let mark = Array(mark.utf8)
        var end = rest.startIndex
        while let next = rest[end...].firstIndex(of: mark[0]) {
            if rest[next...].starts(with: mark) {
                defer { rest = rest[(next + mark.count)...] }
                return rest[..<next]
            }
            end = next + 1
        }
        return nil
    }

    /// The local name that begins a tag.
    private func name(in tag: ArraySlice<UInt8>) -> String? {
        let whole = tag.prefix { ![0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "/")].contains($0) }
        let local = whole.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).last ?? whole
        return local.isEmpty ? nil : String(decoding: local, as: UTF8.self)
    }
}

private func decodeEntities(_ text: ArraySlice<UInt8>) -> String? {
    guard text.contains(UInt8(ascii: "&")) else { return String(decoding: text, as: UTF8.self) }
    var result = ""
    var rest = text
    while let mark = rest.firstIndex(of: UInt8(ascii: "&")) {
        result += String(decoding: rest[..<mark], as: UTF8.self)
        // The longest there is: "#x10FFFF".
        guard let end = rest[mark...].prefix(10).firstIndex(of: UInt8(ascii: ";")) else { return nil }
        guard let scalar = entity(String(decoding: rest[(mark + 1)..<end], as: UTF8.self)) else { return nil }
        result.unicodeScalars.append(scalar)
        rest = rest[(end + 1)...]
    }
    return result + String(decoding: rest, as: UTF8.self)
}

private func entity(_ name: String) -> Unicode.Scalar? {
    switch name {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    default:
        guard name.first == "#" else { return nil }
        let isHexadecimal = name.dropFirst().first == "x"
        return UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10).flatMap(
            Unicode.Scalar.init
        )
    }
}
