/// Puts a response's head together from the lines libcurl gives.
struct HeadParser {
    /// All lines of all heads (interim ones, trailers too) together.
    static let maximumBytes = 256 * 1024

    private var fields: [HTTPHeader] = []
    private var byteCount = 0
    private(set) var isComplete = false

    /// Takes one line; returns the fields when the final head is complete.
    /// - Parameter status: the status of the head the line belongs to.
    mutating func take(_ line: UnsafeRawBufferPointer, status: Int) throws(HTTPError) -> HTTPHeaders? {
        byteCount += line.count
        guard byteCount <= Self.maximumBytes else {
            throw HTTPError(.protocolViolation, "the response's head has more than \(Self.maximumBytes) bytes")
        }
        // What follows the body is a trailer.
        guard !isComplete else { return nil }
        var text = String(decoding: line, as: UTF8.self)[...]
        while text.last?.isNewline == true { text.removeLast() }
        if text.isEmpty { return try end(status) }
        if text.hasPrefix("HTTP/") {
            fields = []
        } else if text.first == " " || text.first == "\t" {
            // A value that goes on in the next line, obsolete but still seen.
            if !fields.isEmpty { fields[fields.count - 1].value += " " + text.trimmed }
        } else if let colon = text.firstIndex(of: ":") {
            let name = text[..<colon].trimmed
            let value = text[text.index(after: colon)...].trimmed
            fields.append(HTTPHeader(name: String(name), value: String(value)))
        } else {
            throw HTTPError(.protocolViolation, "a line of the response's head has no colon")
        }
        return nil
    }

    private mutating func end(_ status: Int) throws(HTTPError) -> HTTPHeaders? {
        // 1xx announces another head; after 101 comes whatever was agreed on.
        if (100..<200).contains(status), status != 101 {
            fields = []
            return nil
        }
        isComplete = true
        let headers = HTTPHeaders(fields)
        // libcurl takes "5x" for 5 and the last one of several.
        let lengths = Set(headers.all("Content-Length"))
        guard lengths.count <= 1, lengths.allSatisfy(\.isNumber) else {
            throw HTTPError(.protocolViolation, "the response's Content-Length is ambiguous or no number")
        }
        return headers
    }
}

extension String {
    fileprivate var isNumber: Bool {
        !isEmpty && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
