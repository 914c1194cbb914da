import HTTP
import Model

/// Where the engine answers: a unix socket on this machine, or a host with or without TLS.
public struct DockerConnection: Sendable, Hashable, CustomStringConvertible {
    /// The socket's path; nil for TCP.
    public let unixSocket: String?
    /// Scheme, host and port, without a slash at the end.
    let base: String
    /// Whom to trust and who we are, for https.
    let tls: TLSOptions?

    /// The engine's socket where nothing else is said.
    public static let defaultSocket = "/var/run/docker.sock"

    /// The engine behind a socket on this machine.
    public init(unixSocket: String = defaultSocket) {
        self.unixSocket = unixSocket
        base = "http://docker"
        tls = nil
    }

    private init(base: String, tls: TLSOptions?) {
        unixSocket = nil
        self.base = base
        self.tls = tls
    }

    /// The engine that `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` name, read as Docker's own client reads them.
    ///
    /// - Parameter environment: variables by name.
    /// - Throws: ``DockerError`` with code `setting`, naming variable and value.
    public init(environment: [String: String]) throws(DockerError) {
        let host = environment["DOCKER_HOST"] ?? ""
        // Any text switches verification on, "0" too: so does Docker's client.
        let verify = !(environment["DOCKER_TLS_VERIFY"] ?? "").isEmpty
        let certificates = environment["DOCKER_CERT_PATH"] ?? ""
        try self.init(host: host, tlsVerify: verify, certificates: certificates)
    }

    /// The engine at an address.
    ///
    /// - Parameters:
    ///   - host: `unix:///path`, `tcp://host:port`, `http://…` or `https://…`; empty for the default socket.
    ///   - tlsVerify: whether TCP is secured and the engine's certificate checked.
    ///   - certificates: folder of `ca.pem`, `cert.pem` and `key.pem`; given without `tlsVerify`, TLS is used unchecked.
    /// - Throws: ``DockerError`` with code `setting`, naming the value.
    public init(host: String, tlsVerify: Bool = false, certificates: String = "") throws(DockerError) {
        func refusal(_ problem: String) -> DockerError {
            DockerError(
                .setting,
                "DOCKER_HOST \(DockerConnection.withoutPassword(host).escapedForMessage) \(problem); allowed are "
                    + "unix:///path, tcp://host:port, http://host:port and https://host:port"
            )
        }
        guard !host.isEmpty else {
            self.init()
            return
        }
        guard let separator = host.firstRange(of: "://") else { throw refusal("has no scheme") }
        let scheme = host[..<separator.lowerBound].lowercased()
        let rest = String(host[separator.upperBound...])
        switch scheme {
        case "unix":
            // sockaddr_un holds 107 bytes and a zero.
            guard rest.hasPrefix("/") else { throw refusal("has no absolute path after unix://") }
            guard rest.utf8.count <= 107, !rest.utf8.contains(0) else {
                throw refusal("has a path of more than 107 bytes")
            }
            self.init(unixSocket: rest)
        case "tcp", "http", "https":
            guard let authority = DockerConnection.authority(rest, port: tlsVerify || scheme == "https" ? 2376 : 2375)
            else {
                throw refusal("has no host and port after \(scheme)://, or more than these")
            }
            let secure = scheme == "https" || (scheme == "tcp" && (tlsVerify || !certificates.isEmpty))
            self.init(
                base: (secure ? "https://" : "http://") + authority,
                tls: secure ? DockerConnection.tls(verify: tlsVerify || certificates.isEmpty, certificates) : nil
            )
        case "ssh":
            throw refusal(
                "asks for ssh, which isn't spoken here: forward the engine's socket with `ssh -L` and name that"
            )
        case "npipe", "fd":
            throw refusal("has a scheme that only exists elsewhere")
        default:
            throw refusal("has an unknown scheme")
        }
    }

    /// The address, without credentials.
    public var description: String { unixSocket.map { "unix://" + $0 } ?? base }

    private static func tls(verify: Bool, _ folder: String) -> TLSOptions {
        guard !folder.isEmpty else { return TLSOptions(verify: verify) }
        return TLSOptions(
            caFile: folder + "/ca.pem",
            certificateFile: folder + "/cert.pem",
            keyFile: folder + "/key.pem",
            verify: verify
        )
    }

    /// Host and port, the port added where it's missing; nil when the text is anything else.
    private static func authority(_ text: String, port: Int) -> String? {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@\\%".utf8.contains($0) }) else {
            return nil
        }
        // An IPv6 address stands in brackets and has colons of its own.
        let afterAddress: Substring
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            afterAddress = text[text.index(after: close)...]
        } else {
            guard let colon = text.firstIndex(of: ":") else { return "\(text):\(port)" }
            guard colon != text.startIndex else { return nil }
            afterAddress = text[colon...]
        }
        if afterAddress.isEmpty { return "\(text):\(port)" }
        guard afterAddress.hasPrefix(":"), let number = UInt16(afterAddress.dropFirst()), number > 0 else { return nil }
        return text
    }

    /// The host as it may be shown: a password in it is a mistake, but not one to print.
    private static func withoutPassword(_ host: String) -> String {
        guard let at = host.lastIndex(of: "@"), let scheme = host.firstRange(of: "://"), scheme.upperBound <= at else {
            return host
        }
        return host[..<scheme.upperBound] + "***" + host[at...]
    }
}
