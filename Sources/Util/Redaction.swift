/// Takes credentials out of URLs, so that they can be logged.
///
/// Where it can't be told what is a credential, more is masked rather than less.
public enum Redaction {
    /// A URL, or several separated by commas, without its passwords, tokens and parameters that look like credentials.
    ///
    /// "mongodb://user:secret@a,b/db" becomes "mongodb://user:***@a,b/db", and "nats://token@host" becomes
    /// "nats://***@host". Passwords that should have been percent-encoded ('@', '/', '?' in them) are recognised.
    public static func url(_ text: String) -> String {
        masked(URLText(text.unicodeScalars))
    }

    /// A text in which every URL is masked as ``url(_:)`` does; a URL ends at a space, a quote or an angle bracket.
    public static func urls(in text: String) -> String {
        let scalars = URLText(text.unicodeScalars)
        guard scalars.firstMark != nil else { return text }
        return scalars.replacingPieces(between: endsURL) { $0.firstMark == nil ? String($0) : masked($0) }
    }

    private static func masked(_ text: URLText) -> String {
        var result = ""
        var rest = text
        while let mark = rest.firstMark {
            let scheme = rest[..<mark.lowerBound].schemeAtEnd
            result += String(rest[..<mark.upperBound])
            rest = rest[mark.upperBound...]
            let end = rest.startOfNextURL
            result += maskedAfterScheme(rest[..<end], scheme: scheme)
            rest = rest[end...]
        }
        return result + maskedParameters(rest)
    }

    private static func endsURL(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "'", "`", "<", ">": true
        default: scalar.properties.isWhitespace
        }
    }

    private static func maskedAfterScheme(_ text: URLText, scheme: String) -> String {
        let authority = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        // In paths of the web an '@' is ordinary; elsewhere it is the end of credentials that lack their encoding.
        let isPlainWeb =
            ["http", "https", "ws", "wss"].contains(scheme) && !authority.contains("@") && authority.isHostList
        if !isPlainWeb, let at = text.lastIndex(of: "@") {
            return masked(userinfo: text[..<at]) + maskedParameters(text[at...])
        }
        if authority.isHostList { return maskedParameters(text) }
        // "user:password" with the host missing or cut off.
        return masked(userinfo: authority) + maskedParameters(text[authority.endIndex...])
    }

    private static func masked(userinfo: URLText) -> String {
        // An '@' before the colon: what stands before it may be a token, and the colon another URL's.
        guard let colon = userinfo.firstIndex(of: ":"), !userinfo[..<colon].contains("@") else { return Secrets.mask }
        return String(userinfo[...colon]) + Secrets.mask
    }

    private static func maskedParameters(_ text: URLText) -> String {
        text.replacingPieces(between: { $0 == "?" || $0 == "#" || $0 == "&" || $0 == ";" }) { parameter in
            guard let equals = parameter.firstIndex(of: "="), isCredential(name: parameter[..<equals]) else {
                return String(parameter)
            }
            return String(parameter[...equals]) + Secrets.mask
        }
    }

    private static let credentialNames: Set = [
        "pass", "pwd", "pw", "key", "sig", "auth", "jwt", "authorization", "authmechanismproperties",
    ]
    private static let credentialParts = [
        "password", "passwd", "passphrase", "secret", "token", "credential", "signature", "apikey", "accesskey",
        "privatekey",
    ]

    /// Whether a parameter of that name holds a credential.
    private static func isCredential(name: URLText) -> Bool {
        let bare = String(name).percentDecoded.lowercased().unicodeScalars.filter { !"-_.".unicodeScalars.contains($0) }
        let name = URLText(bare)
        return credentialNames.contains(String(name))
            || credentialParts.contains { name.firstRange(of: Array($0.unicodeScalars)) != nil }
    }
}

/// Scalars rather than characters: a mark stays a mark when a combining character follows it.
private typealias URLText = Substring.UnicodeScalarView

extension URLText {
    init(_ scalars: String.UnicodeScalarView) {
        self = Substring(String(scalars)).unicodeScalars
    }

    /// The first "://".
    fileprivate var firstMark: Range<Index>? { firstRange(of: [":", "/", "/"]) }

    fileprivate func firstRange(of pattern: [Unicode.Scalar]) -> Range<Index>? {
        guard let first = pattern.first else { return nil }
        var rest = self
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: pattern) { return start..<rest.index(start, offsetBy: pattern.count) }
            rest.removeFirst()
        }
        return nil
    }

    /// The text with the pieces between separators replaced, the separators kept.
    fileprivate func replacingPieces(
        between isSeparator: (Unicode.Scalar) -> Bool,
        _ replace: (URLText) -> String
    ) -> String {
        var result = ""
        var rest = self
        while let separator = rest.firstIndex(where: isSeparator) {
            result += replace(rest[..<separator])
            result.unicodeScalars.append(rest[separator])
            rest = rest[index(after: separator)...]
        }
        return result + replace(rest)
    }

    private static func isOfScheme(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "+", "-", ".": true
        default: false
        }
    }

    /// The scheme that ends this text, in lower case.
    fileprivate var schemeAtEnd: String {
        String(suffix(reversed().prefix(while: Self.isOfScheme).count)).lowercased()
    }

    /// The comma after which a further URL begins; the end when there is none.
    fileprivate var startOfNextURL: Index {
        var rest = self
        while let comma = rest.firstIndex(of: ",") {
            rest = rest[index(after: comma)...]
            let scheme = rest.prefix(while: Self.isOfScheme)
            if !scheme.isEmpty, rest[scheme.endIndex...].starts(with: "://".unicodeScalars) { return comma }
        }
        return endIndex
    }

    /// Whether this is a list of hosts, each perhaps with a port; anything else may be "user:password".
    fileprivate var isHostList: Bool {
        split(separator: ",", omittingEmptySubsequences: false).allSatisfy { host in
            let isBracketed = host.first == "["
            let name = host.prefix { $0 != (isBracketed ? "]" : ":") }
            let port = host[name.endIndex...].drop { $0 == "]" }
            return port.isEmpty || (port.first == ":" && port.dropFirst().allSatisfy { ("0"..."9").contains($0) })
        }
    }
}

extension String {
    fileprivate var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = Substring(self).utf8
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == 0x25, digits.count == 2, let code = UInt8(Substring(digits), radix: 16) {
                bytes.append(code)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
