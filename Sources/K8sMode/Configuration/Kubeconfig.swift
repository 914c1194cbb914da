import HTTP
import Model
import Yams

/// Kubeconfig files, merged as `kubectl` does: of each name, and of the current context, the first file that has it counts.
struct Kubeconfig {
    private var clusters: [String: KubeconfigEntry] = [:]
    private var users: [String: KubeconfigEntry] = [:]
    private var contexts: [String: KubeconfigEntry] = [:]
    private var currentContext: String?
    private let files: String

    /// Reads files.
    /// - Parameter mayBeMissing: whether files that aren't there are passed over, as those of `KUBECONFIG` are.
    /// - Throws: ``K8sError`` with code `setting`.
    static func load(_ paths: [String], mayBeMissing: Bool) throws(K8sError) -> Kubeconfig {
        var config = Kubeconfig(files: paths.map(\.escapedForMessage).joined(separator: ", "))
        var found = false
        for path in paths {
            let bytes: [UInt8]
            do { bytes = try readSmallFile(path) } catch {
                if error.isMissing, mayBeMissing { continue }
                throw K8sError(.setting, "kubeconfig \(path.escapedForMessage) \(error)")
            }
            found = true
            try config.merge(bytes, path: path)
        }
        guard found else { throw K8sError(.setting, "kubeconfig: none of the files \(config.files) exists") }
        return config
    }

    init(files: String) {
        self.files = files
    }

    /// Adds what a file has and those before it don't.
    mutating func merge(_ bytes: [UInt8], path: String) throws(K8sError) {
        let origin = path.escapedForMessage
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw K8sError(.setting, "kubeconfig \(origin) is no UTF-8 text")
        }
        // To compare keys that aliases have multiplied takes the parser days.
        guard !text.hasAliases else {
            throw K8sError(.setting, "kubeconfig \(origin) has YAML anchors and aliases, which aren't read here")
        }
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            throw K8sError(.setting, "kubeconfig \(origin) is no YAML\(Self.place(of: error))")
        }
        // An empty file is one without entries, as for kubectl.
        guard let node else { return }
        guard node.mapping != nil else { throw K8sError(.setting, "kubeconfig \(origin) is no YAML mapping") }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let file = KubeconfigEntry(node: node, origin: origin, folder: folder)
        if let version = try file.text("apiVersion"), version != "v1" {
            throw file.problem("apiVersion", "is \(version.escapedForMessage); allowed is v1")
        }
        clusters.merge(try file.named("clusters", "cluster")) { first, _ in first }
        users.merge(try file.named("users", "user")) { first, _ in first }
        contexts.merge(try file.named("contexts", "context")) { first, _ in first }
        if currentContext == nil { currentContext = try file.text("current-context") }
    }

    /// Line and column of what a parser can't read; its words would quote the text.
    private static func place(of error: any Error) -> String {
        guard let error = error as? YamlError else { return "" }
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            return ": line \(mark.line), column \(mark.column)"
        case .duplicatedKeysInMapping: return ": a key stands twice in one mapping"
        default: return ""
        }
    }

    /// The cluster and user of a context.
    /// - Throws: ``K8sError`` with code `setting`, naming file, context and field, and the contexts that there are.
    func connection(context name: String?) throws(K8sError) -> ClusterConnection {
        let known =
            contexts.isEmpty
            ? "there is none"
            : "there are " + contexts.keys.sorted().prefix(20).map(\.escapedForMessage).joined(separator: ", ")
        guard let name = name ?? currentContext else {
            throw K8sError(.setting, "kubeconfig \(files): no context is named and current-context is empty; \(known)")
        }
        guard let context = contexts[name] else {
            throw K8sError(.setting, "kubeconfig \(files): there is no context \(name.escapedForMessage); \(known)")
        }
        guard let clusterName = try context.text("cluster") else { throw context.problem("cluster", "is missing") }
        guard let cluster = clusters[clusterName] else {
            throw context.problem("cluster", "names \(clusterName.escapedForMessage), which isn't under clusters")
        }
        guard let server = try cluster.text("server") else { throw cluster.problem("server", "is missing") }
        var tls = try cluster.serverTrust()
        var credential = Credential.none
        if let userName = try context.text("user") {
            guard let user = users[userName] else {
                throw context.problem("user", "names \(userName.escapedForMessage), which isn't under users")
            }
            try user.addClientCertificate(to: &tls)
            credential = try user.credential(cluster: cluster, server: server, trust: tls)
        }
        return ClusterConnection(
            server: try ClusterConnection.address(server, "kubeconfig \(cluster.origin)"),
            namespace: try context.text("namespace") ?? "default",
            origin: "kubeconfig \(context.origin)",
            tls: tls,
            credential: credential
        )
    }
}

extension KubeconfigEntry {
    /// The entries of a list of `name` and content.
    fileprivate func named(_ list: String, _ content: String) throws(K8sError) -> [String: KubeconfigEntry] {
        var result: [String: KubeconfigEntry] = [:]
        for (position, element) in try self.list(list).enumerated() {
            let entry = KubeconfigEntry(node: element, origin: "\(origin): \(list)[\(position)]", folder: folder)
            guard element.mapping != nil else { throw problem("\(list)[\(position)]", "is no mapping") }
            guard let name = try entry.text("name") else { throw entry.problem("name", "is missing") }
            guard result[name] == nil, let inner = try entry.inner(content) else { continue }
            result[name] = KubeconfigEntry(
                node: inner.node,
                origin: "\(origin): \(content) \(name.escapedForMessage)",
                folder: folder
            )
        }
        return result
    }
}

extension String {
    /// Whether something looks like an anchor and something like its use.
    fileprivate var hasAliases: Bool {
        func has(_ mark: Unicode.Scalar) -> Bool {
            var before: Unicode.Scalar = "\n"
            var isMark = false
            for scalar in unicodeScalars {
                if isMark, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" {
                    return true
                }
                isMark = scalar == mark && " \t\r\n[{,:-".unicodeScalars.contains(before)
                before = scalar
            }
            return false
        }
        return has("&") && has("*")
    }
}
