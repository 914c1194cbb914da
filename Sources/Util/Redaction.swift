/// Takes credentials out of URLs, so that they can be logged.
///
/// Where it can't be told what is a credential, more is masked rather than less.
public enum Redaction {
    /// A URL, or several separated by commas, without its passwords, tokens and parameters that look like credentials.
    ///
    /// "mongodb://user:secret@a,b/db" becomes "mongodb://user:***@a,b/db", and "nats://token@host" becomes
    /// "nats://***@host". Passwords that should have been percent-encoded ('@', '/', '?' in them) are recognised.
    public static func url(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let mark = rest.firstRange(of: "://") {
            result += rest[..<mark.upperBound]
            rest = rest[mark.upperBound...]
            let scheme = result.dropLast(3).schemeAtEnd
            let end = rest.startOfNextURL
            result += afterScheme(rest[..<end], scheme: scheme.lowercased())
            rest = rest[end...]
        }
        return result.isEmpty ? maskParameters(rest) : result + rest
    }

    /// A text in which every URL is masked as ``url(_:)`` does; a URL ends at a space, a quote or an angle bracket.
    public static func urls(in text: String) -> String {
        guard Substring(text).firstRange(of: "://") != nil else { return text }
        var result = ""
        var word = Substring()
        for index in text.indices {
            if endsURL(text[index]) {
                result += word.isEmpty ? "" : maskWord(word)
                result.append(text[index])
                word = Substring()
            } else {
                word = text[(word.isEmpty ? index : word.startIndex)...index]
            }
        }
        return result + maskWord(word)
    }

    private static func maskWord(_ word: Substring) -> String {
        word.firstRange(of: "://") == nil ? String(word) : url(String(word))
    }

    private static func endsURL(_ character: Character) -> Bool {
        character.isWhitespace || "\"'`<>".contains(character)
    }

    private static func afterScheme(_ text: Substring, scheme: String) -> String {
        let authority = text.prefix { !"/?#".contains($0) }
        // In paths of the web an '@' is ordinary; elsewhere it is the end of credentials that lack their encoding.
        let isPlainWeb =
            ["http", "https", "ws", "wss"].contains(scheme) && !authority.contains("@") && authority.isHostList
        if !isPlainWeb, let at = text.lastIndex(of: "@") {
            return mask(userinfo: text[..<at]) + maskParameters(text[at...])
        }
        if authority.isHostList { return maskParameters(text) }
        // "user:password" with the host missing or cut off.
        return mask(userinfo: authority) + maskParameters(text[authority.endIndex...])
    }

    private static func mask(userinfo: Substring) -> String {
        guard let colon = userinfo.firstIndex(of: ":") else { return Secrets.mask }
        return userinfo[...colon] + Secrets.mask
    }

    private static func maskParameters(_ text: Substring) -> String {
        var result = ""
        var parameter = Substring()
        for index in text.indices {
            if "?#&;".contains(text[index]) {
                result += maskParameter(parameter)
                result.append(text[index])
                parameter = Substring()
            } else {
                parameter = text[(parameter.isEmpty ? index : parameter.startIndex)...index]
            }
        }
        return result + maskParameter(parameter)
    }

    private static func maskParameter(_ parameter: Substring) -> String {
        guard let equals = parameter.firstIndex(of: "="), isCredential(name: parameter[..<equals]) else {
            return String(parameter)
        }
        return parameter[...equals] + Secrets.mask
    }

    /// Whether a parameter of that name holds a credential.
    private static func isCredential(name: Substring) -> Bool {
        let name = name.percentDecoded.lowercased().filter { !"-_.".contains($0) }
        let whole: Set = ["pass", "pwd", "pw", "key", "sig", "auth", "jwt", "authorization", "authmechanismproperties"]
        let parts = [
            "password", "passwd", "passphrase", "secret", "token", "credential", "signature", "apikey", "accesskey",
            "privatekey",
        ]
        return whole.contains(name) || parts.contains { Substring(name).firstRange(of: $0) != nil }
    }
}

extension Substring {
    /// The first occurrence of a text, byte for byte.
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        guard let first = text.utf8.first else { return nil }
        var start = utf8.startIndex
        while let found = utf8[start...].firstIndex(of: first) {
            if utf8[found...].starts(with: text.utf8) {
                return found..<utf8.index(found, offsetBy: text.utf8.count)
            }
            start = utf8.index(after: found)
        }
        return nil
    }

    /// The scheme of a URL that ends this text.
    fileprivate var schemeAtEnd: Substring {
        let reversed = self.reversed().prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        return suffix(reversed.count)
    }

    /// Where, after a comma, a further URL begins; the end when there is none.
    fileprivate var startOfNextURL: Index {
        var search = self
        while let comma = search.firstIndex(of: ",") {
            search = self[index(after: comma)...]
            let scheme = search.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            if !scheme.isEmpty, search[scheme.endIndex...].hasPrefix("://") { return comma }
        }
        return endIndex
    }

    /// Whether this is a list of hosts, each perhaps with a port; anything else may be "user:password".
    fileprivate var isHostList: Bool {
        split(separator: ",", omittingEmptySubsequences: false).allSatisfy { host in
            let name = host.first == "[" ? host.prefix { $0 != "]" } : host.prefix { $0 != ":" }
            let port = host[name.endIndex...].drop { $0 == "]" }
            return port.isEmpty || (port.first == ":" && port.dropFirst().allSatisfy { $0.isASCII && $0.isNumber })
        }
    }

    fileprivate var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = utf8[...]
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
