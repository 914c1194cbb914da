import Util

/// The servers of a connection as the library takes them, and as they may be shown.
struct Servers: Sendable {
    let urls: [String]
    /// For all servers whose URL has none.
    let credentials: Credentials?
    let usesTLS: Bool
    /// Without passwords and tokens.
    let shown: String
    /// What must not appear in any message.
    let secrets: Secrets

    /// - Throws: ``NATSError`` with code `invalidOptions` for a URL that is none.
    init(_ text: String) throws(NATSError) {
        let secrets = Secrets()
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { ServerURL(Self.trimmed($0)) }
        func invalid(_ problem: String) -> NATSError {
            NATSError(
                .invalidOptions,
                "NATS URL \(Redaction.url(text)): \(problem); expected nats://[user:password@]host[:port] or tls://…, several "
                    + "separated by commas, reserved characters of a password percent-encoded"
            )
        }
        for part in parts {
            for secret in [part.encodedSecret, part.credentials?.secret] { if let secret { secrets.register(secret) } }
            if let problem = part.problem { throw invalid(problem) }
        }
        if parts.contains(where: \.isEncoded) {
            // The library doesn't decode them: they are handed over on their own, of which there can be only one.
            let all = Set(parts.compactMap(\.credentials))
            guard all.count == 1, parts.allSatisfy({ $0.credentials != nil }) else {
                throw invalid("percent-encoded credentials must be the same for all servers")
            }
            credentials = all.first
            urls = parts.map(\.withoutCredentials)
        } else {
            credentials = nil
            urls = parts.map { $0.text.last == "/" ? String($0.text.dropLast()) : $0.text }
        }
        shown = parts.map { Redaction.url($0.text) }.joined(separator: ",")
        usesTLS = parts.contains { $0.scheme == "tls" }
        self.secrets = secrets
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
