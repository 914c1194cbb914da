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
        shown = Redaction.url(text)
        secrets = Secrets()
        urls = text.split(separator: ",").map { Self.trimmed($0) }
        guard !urls.isEmpty, !urls.contains("") else {
            throw NATSError(
                .invalidOptions,
                "NATS URL is empty; expected nats://[user:password@]host[:port], several with commas"
            )
        }
        for url in urls {
            let scheme = url.firstRange(of: "://").map { url[..<$0.lowerBound].lowercased() } ?? "nats"
            guard ["nats", "tls"].contains(scheme),
                url.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
            else {
                throw NATSError(
                    .invalidOptions,
                    "NATS URL \(Redaction.url(url)): expected nats:// or tls:// with [user:password@]host[:port], without spaces"
                )
            }
            for secret in Self.secrets(in: url) { secrets.register(secret) }
        }
        usesTLS = urls.contains { $0.lowercased().hasPrefix("tls://") }
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// The password, or the token that stands alone.
    private static func secrets(in url: String) -> [String] {
        guard let at = url.lastIndex(of: "@") else { return [] }
        var credentials = url[..<at]
        if let scheme = credentials.firstRange(of: "://") { credentials = credentials[scheme.upperBound...] }
        guard let colon = credentials.firstIndex(of: ":") else { return [String(credentials)] }
        return [String(credentials[credentials.index(after: colon)...])]
    }
}
