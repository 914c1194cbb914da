/// What a client says of itself.
enum Credentials: Sendable, Hashable {
    case user(String, password: String)
    case token(String)

    /// What must not be shown.
    var secret: String {
        switch self {
        case .user(_, let password): password
        case .token(let token): token
        }
    }
}

/// A server's URL in its parts. The library looks at them only when it connects, and then takes a port that is none for
/// its default; and it takes credentials as they stand, percent-encoded or not.
struct ServerURL: Sendable {
    /// As it was given.
    let text: String
    let scheme: String
    /// Without percent-encoding.
    let credentials: Credentials?
    /// The password or token as it stands.
    let encodedSecret: String?
    private let host: Substring
    private let port: Substring?

    init(_ text: String) {
        self.text = text
        var rest = Substring(text)
        if let mark = rest.firstRange(of: "://") {
            scheme = rest[..<mark.lowerBound].lowercased()
            rest = rest[mark.upperBound...]
        } else {
            scheme = "nats"
        }
        if let at = rest.lastIndex(of: "@") {
            let userinfo = rest[..<at]
            rest = rest[rest.index(after: at)...]
            if let colon = userinfo.firstIndex(of: ":") {
                let password = userinfo[userinfo.index(after: colon)...]
                credentials = .user(percentDecoded(userinfo[..<colon]), password: percentDecoded(password))
                encodedSecret = String(password)
            } else {
                credentials = .token(percentDecoded(userinfo))
                encodedSecret = String(userinfo)
            }
        } else {
            (credentials, encodedSecret) = (nil, nil)
        }
        if rest.last == "/" { rest.removeLast() }
        let afterHost = rest.first == "[" ? rest.firstIndex(of: "]") ?? rest.startIndex : rest.startIndex
        let colon = rest[afterHost...].firstIndex(of: ":")
        host = rest[..<(colon ?? rest.endIndex)]
        port = colon.map { rest[rest.index(after: $0)...] }
    }

    /// Scheme, host and port.
    var withoutCredentials: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")" }

    var isEncoded: Bool { credentials != nil && text.utf8.contains(UInt8(ascii: "%")) }

    /// What is wrong, without quoting it: with a password that isn't encoded, any part may be one.
    var problem: String? {
        if !["nats", "tls"].contains(scheme) { return "the scheme is neither nats nor tls" }
        if text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) {
            return "there are spaces or control characters in it"
        }
        if case .user(let name, let password) = credentials, name.utf8.contains(0) || password.utf8.contains(0) {
            return "the credentials hold a NUL character"
        }
        if case .token(let token) = credentials, token.utf8.contains(0) { return "the token holds a NUL character" }
        if host.isEmpty { return "a host is missing" }
        if host.contains(where: { "/?#@".contains($0) }) { return "there is something after the host" }
        if !host.utf8.allSatisfy({ $0 < 0x80 }) { return "the host has a character that isn't ASCII" }
        guard let port else { return nil }
        return (UInt16(port) ?? 0) > 0 && port.utf8.allSatisfy { (0x30...0x39).contains($0) } ? nil : "the port is none"
    }
}

/// The text with each `%XX` as its byte; what is no such escape stays as it is.
private func percentDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Substring(text).utf8
    while let byte = rest.popFirst() {
        let digits = rest.prefix(2)
        if byte == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy(isHexadecimal),
            let code = UInt8(Substring(digits), radix: 16)
        {
            bytes.append(code)
            rest.removeFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
