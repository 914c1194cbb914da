import HTTP
import Model
import Yams

extension KubeconfigEntry {
    /// Whom to trust as the server, from a cluster's fields.
    func serverTrust() throws(K8sError) -> TLSOptions {
        if try text("proxy-url") != nil {
            throw problem("proxy-url", "isn't read here; set HTTPS_PROXY and NO_PROXY in the environment instead")
        }
        var tls = TLSOptions()
        tls.caData = try data("certificate-authority-data")
        // As for kubectl, data wins over a file.
        if tls.caData == nil { tls.caFile = try readable("certificate-authority") }
        tls.serverName = try text("tls-server-name")
        if try flag("insecure-skip-tls-verify") {
            guard tls.caFile == nil, tls.caData == nil else {
                throw problem(
                    "insecure-skip-tls-verify",
                    "is true although a certificate authority is given: choose one"
                )
            }
            tls.verify = false
        }
        return tls
    }

    /// Who we are in TLS, from a user's fields.
    func addClientCertificate(to tls: inout TLSOptions) throws(K8sError) {
        tls.certificateData = try data("client-certificate-data")
        if tls.certificateData == nil { tls.certificateFile = try readable("client-certificate") }
        tls.keyData = try data("client-key-data")
        if tls.keyData == nil { tls.keyFile = try readable("client-key") }
        let hasCertificate = tls.certificateData != nil || tls.certificateFile != nil
        let hasKey = tls.keyData != nil || tls.keyFile != nil
        if hasCertificate, !hasKey { throw problem("client-key", "is missing beside client-certificate") }
        if hasKey, !hasCertificate { throw problem("client-certificate", "is missing beside client-key") }
    }

    /// What is sent with each request, from a user's fields.
    func credential(cluster: KubeconfigEntry, server: String, trust: TLSOptions) throws(K8sError) -> Credential {
        if node.mapping?[Node("auth-provider")] != nil {
            throw problem(
                "auth-provider",
                "is gone from Kubernetes since 1.26; use exec with the provider's own program"
            )
        }
        if let exec = try inner("exec") {
            return .exec(try ExecPlugin(exec, cluster: cluster, server: server, trust: trust))
        }
        // As for kubectl: a file, which may be rotated, wins over a token.
        if let path = try readable("tokenFile") { return .tokenFile(path) }
        if let token = try text("token") {
            guard Credential.isToken(token) else { throw problem("token", "holds a space or control character") }
            return .token(token)
        }
        if let user = try text("username") {
            guard !user.contains(":") else { throw problem("username", "holds a colon") }
            return .password(user: user, password: try text("password") ?? "")
        }
        return .none
    }

    /// A path of a file that is there.
    private func readable(_ field: String) throws(K8sError) -> String? {
        guard let path = try path(field) else { return nil }
        do { _ = try readSmallFile(path) } catch {
            throw problem(field, "names \(path.escapedForMessage), which \(error)")
        }
        return path
    }
}
