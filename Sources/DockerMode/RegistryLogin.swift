import FoundationEssentials
import Model

/// Who we are to one registry.
struct RegistryLogin: Sendable, Hashable {
    var username = ""
    var password = ""
    /// Stands for name and password where the registry issues tokens.
    var identityToken = ""
    var registryToken = ""

    /// Whether it says nothing, as entries do whose secret lies elsewhere.
    var isEmpty: Bool { self == RegistryLogin() }

    /// What the engine takes as `X-Registry-Auth`: JSON in base64 of RFC 4648's alphabet for URLs, padded.
    func header(server: String) -> String {
        var object = JSONObject()
        for (name, value) in [
            ("username", username), ("password", password), ("identitytoken", identityToken),
            ("registrytoken", registryToken), ("serveraddress", server),
        ] where !value.isEmpty { object[name] = .string(value) }
        let text = Data(JSONValue.object(object).text.utf8).base64EncodedString()
        return String(
            text.map { character in
                switch character {
                case "+": "-"
                case "/": "_"
                default: character
                }
            }
        )
    }
}

extension RegistryLogin {
    /// An entry of `auths`.
    /// - Returns: nil for `auth` that isn't base64 of a name, a colon and a password.
    init?(entry: JSONObject) {
        func text(_ name: String) -> String { entry[name]?.string ?? "" }
        self.init(
            username: text("username"),
            password: text("password"),
            identityToken: text("identitytoken"),
            registryToken: text("registrytoken")
        )
        guard !text("auth").isEmpty else { return }
        guard let bytes = Data(base64Encoded: text("auth")), let pair = String(validating: bytes, as: UTF8.self),
            let colon = pair.firstIndex(of: ":")
        else { return nil }
        username = String(pair[..<colon])
        // Old clients filled it up with zeros.
        password = String(pair[pair.index(after: colon)...].filter { $0 != "\0" })
    }

    /// What a credential program prints.
    init?(printed output: [UInt8]) {
        do throws(JSONSyntaxError) {
            guard let object = try JSONValue.parse(output).object, let name = object["Username"]?.string,
                let secret = object["Secret"]?.string
            else { return nil }
            // The programs' protocol marks tokens by this name.
            self = name == "<token>" ? Self(identityToken: secret) : Self(username: name, password: secret)
        } catch { return nil }
    }
}

extension ImageReference {
    /// The registry as credentials are kept for it; Docker's own has a name of its own there.
    var registry: String {
        let first = name.prefix { $0 != "/" }
        // Without a dot, a colon or this one name it is the first part of a repository's name on Docker's own.
        guard first.count < name.count, first.contains(".") || first.contains(":") || first == "localhost",
            !Self.hubHosts.contains(String(first))
        else { return Self.hub }
        return String(first)
    }

    static let hub = "https://index.docker.io/v1/"
    static let hubHosts: Set<String> = ["docker.io", "index.docker.io"]
}
