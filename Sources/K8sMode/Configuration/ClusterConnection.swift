public import HTTP

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Where an API server answers, whom to trust, and who we are there.
public struct ClusterConnection: Sendable, CustomStringConvertible {
    /// Scheme, host, port and perhaps a path, without a slash at the end.
    public let server: String
    /// The namespace that is meant where none is named.
    public let namespace: String
    /// What the settings were read from, for messages: a file and a context, or the Pod that this runs in.
    public let origin: String
    let tls: TLSOptions
    let credential: Credential

    /// A server at an address, without a credential: for tests, and for `kubectl proxy`.
    public init(server: String, namespace: String = "default", tls: TLSOptions = TLSOptions(), token: String? = nil) {
        self.init(
            server: server,
            namespace: namespace,
            origin: "settings",
            tls: tls,
            credential: token.map { .token($0) } ?? .none
        )
    }

    init(server: String, namespace: String, origin: String, tls: TLSOptions, credential: Credential) {
        self.server = server
        self.namespace = namespace
        self.origin = origin
        self.tls = tls
        self.credential = credential
    }

    /// The cluster that the environment names, looked for as Kubernetes' own controllers do.
    ///
    /// In this order: a kubeconfig that is given; `KUBECONFIG`, one or more files divided by colons; the Pod that this runs
    /// in; `.kube/config` in the home folder.
    /// - Parameters:
    ///   - kubeconfig: the path of a kubeconfig; then no other place counts.
    ///   - context: the name of a context of the kubeconfig; nil for its current one.
    ///   - environment: variables by name.
    /// - Throws: ``K8sError`` with code `setting`, naming file, context and field.
    public static func find(
        kubeconfig: String? = nil,
        context: String? = nil,
        environment: [String: String]
    ) throws(K8sError) -> ClusterConnection {
        if let kubeconfig {
            return try Kubeconfig.load([kubeconfig], mayBeMissing: false).connection(context: context)
        }
        if let list = environment["KUBECONFIG"], !list.isEmpty {
            let paths = list.split(separator: ":").map(String.init)
            return try Kubeconfig.load(paths, mayBeMissing: true).connection(context: context)
        }
        if context == nil, let inside = try InCluster().connection(environment: environment) { return inside }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw K8sError(
                .setting,
                "no cluster is named: give a kubeconfig, set KUBECONFIG, or run in a Pod with a service account"
            )
        }
        return try Kubeconfig.load(["\(home)/.kube/config"], mayBeMissing: false).connection(context: context)
    }

    /// The server and where it was read from.
    public var description: String { "\(server) (\(origin))" }

    /// Checks and cleans a server's address.
    static func address(_ text: String, _ origin: String) throws(K8sError) -> String {
        func refusal(_ problem: String) -> K8sError {
            K8sError(.setting, "\(origin): server \(problem); allowed is https://host:port, perhaps with a path")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw refusal("holds a space or control character")
        }
        let lower = text.prefix(8).lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else { throw refusal("has no scheme") }
        let authority = text.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty else { throw refusal("has no host") }
        guard !authority.contains("@") else { throw refusal("holds a user or password, which belong under users") }
        guard !text.contains("?"), !text.contains("#") else { throw refusal("holds a query or fragment") }
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }
}

/// Reads a small file whole; it may be on a volume that is being replaced.
/// - Throws: the system's words for why it can't.
func readSmallFile(_ path: String, limit: Int = 1 << 20) throws(FileProblem) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileProblem(errno) }
    defer { close(descriptor) }
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 14)
    while true {
        let count = read(descriptor, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw FileProblem(errno) }
        if count == 0 { return result }
        result += piece.prefix(count)
        guard result.count <= limit else {
            throw FileProblem(description: "has more than \(limit) bytes", isMissing: false)
        }
    }
}

/// Why a file can't be read.
struct FileProblem: Error, CustomStringConvertible {
    let description: String
    let isMissing: Bool

    init(_ code: Int32) {
        description = "can't be read: \(String(cString: strerror(code)))"
        isMissing = code == ENOENT || code == ENOTDIR
    }

    init(description: String, isMissing: Bool) {
        self.description = description
        self.isMissing = isMissing
    }
}
