import Util

/// The servers of a connection as the library takes them, and as they may be shown.
struct Servers: Sendable {
    let urls: [String]
    let usesTLS: Bool
    /// Without passwords and tokens.
    let shown: String
    /// What must not appear in any message.
    let secrets: Secrets

    /// - Throws: ``NATSError`` with code `invalidOptions` for a URL that is none.
    init(_ text: String) throws(NATSError) {
        secrets = Secrets()
        urls = text.split(separator: ",", omittingEmptySubsequences: false).map { Self.trimmed($0) }
        for url in urls {
            let parts = URLParts(url)
            if let secret = parts.secret { secrets.register(secret) }
            guard let problem = parts.problem else { continue }
            throw NATSError(
                .invalidOptions,
                "NATS URL \(Redaction.url(text)): \(problem); expected nats://[user:password@]host[:port] or tls://…, several "
                    + "separated by commas, reserved characters of a password percent-encoded"
            )
        }
        shown = urls.map(Redaction.url).joined(separator: ",")
        usesTLS = urls.contains { $0.lowercased().hasPrefix("tls://") }
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// A server's URL in its parts. The library looks at them only when it connects, and then takes a port that is none for
/// its default.
private struct URLParts {
    let scheme: String
    let secret: String?
    let host: Substring
    let port: Substring?
    let hasSpaces: Bool

    init(_ url: String) {
        hasSpaces = url.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7F }
        var rest = Substring(url)
        if let mark = rest.firstRange(of: "://") {
            scheme = rest[..<mark.lowerBound].lowercased()
            rest = rest[mark.upperBound...]
        } else {
            scheme = "nats"
        }
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
            // The password, or a token that stands alone.
            secret =
                credentials.firstIndex(of: ":").map { String(credentials[credentials.index(after: $0)...]) }
                ?? String(credentials)
        } else {
            secret = nil
        }
        let afterHost = rest.first == "[" ? rest.firstIndex(of: "]") ?? rest.startIndex : rest.startIndex
        let colon = rest[afterHost...].firstIndex(of: ":")
        host = rest[..<(colon ?? rest.endIndex)]
        port = colon.map { rest[rest.index(after: $0)...] }
    }

    /// What is wrong, without quoting it: with a password that isn't encoded, any part may be one.
    var problem: String? {
        if !["nats", "tls"].contains(scheme) { return "the scheme is neither nats nor tls" }
        if hasSpaces { return "there are spaces or control characters in it" }
        if host.isEmpty { return "a host is missing" }
        if host.contains(where: { "/?#@".contains($0) }) { return "there is something after the host" }
        guard let port else { return nil }
        return (UInt16(port) ?? 0) > 0 && port.utf8.allSatisfy { (0x30...0x39).contains($0) } ? nil : "the port is none"
    }
}
