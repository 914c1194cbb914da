/// What tells the API server who we are, beside a client certificate.
enum Credential: Sendable {
    /// Nothing.
    case none
    /// A token that stays.
    case token(String)
    /// A file with a token, which somebody renews.
    case tokenFile(String)
    /// A name and a password, which servers before 1.19 took.
    case password(user: String, password: String)
    /// A program that gives a credential for some time.
    case exec(ExecPlugin)

    /// Whether a text can be sent as a token: printable ASCII, as RFC 6750 has it or wider.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

extension Credential: CustomStringConvertible, CustomReflectable {
    /// The kind, never the value.
    var description: String {
        switch self {
        case .none: "no credential"
        case .token: "a token"
        case .tokenFile(let path): "the token of \(path)"
        case .password: "a password"
        case .exec(let plugin): "what \(plugin.command) gives"
        }
    }

    /// Nothing of the value, for debuggers and `dump` too.
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
