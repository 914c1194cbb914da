import HTTP

/// The settings that a Pod with a service account has.
struct InCluster: Sendable {
    /// Where the kubelet mounts the account.
    var folder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The Pod's own cluster; nil where this is no Pod, or one that has no account mounted.
    /// - Throws: ``K8sError`` with code `setting` for a Pod whose account is incomplete.
    func connection(environment: [String: String]) throws(K8sError) -> ClusterConnection? {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = environment["KUBERNETES_SERVICE_PORT"], !port.isEmpty
        else { return nil }
        let token = "\(folder)/token"
        do { _ = try readSmallFile(token) } catch {
            // Bots' Pods have the variables too, but no account.
            if error.isMissing { return nil }
            throw K8sError(.setting, "service account of this Pod: \(token) \(error)")
        }
        guard let number = UInt16(port), number > 0 else {
            throw K8sError(.setting, "KUBERNETES_SERVICE_PORT is no port: allowed are 1 to 65535")
        }
        let name = host.contains(":") ? "[\(host)]" : host
        return ClusterConnection(
            server: try ClusterConnection.address("https://\(name):\(number)", "KUBERNETES_SERVICE_HOST"),
            namespace: try text("namespace"),
            origin: "the service account of this Pod",
            // Read anew for new connections, as it may be rotated.
            tls: TLSOptions(caFile: try existing("ca.crt")),
            credential: .tokenFile(token)
        )
    }

    private func text(_ name: String) throws(K8sError) -> String {
        let bytes: [UInt8]
        do { bytes = try readSmallFile("\(folder)/\(name)") } catch {
            throw K8sError(.setting, "service account of this Pod: \(folder)/\(name) \(error)")
        }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        guard !text.isEmpty else {
            throw K8sError(.setting, "service account of this Pod: \(folder)/\(name) is empty")
        }
        return text
    }

    private func existing(_ name: String) throws(K8sError) -> String {
        _ = try text(name)
        return "\(folder)/\(name)"
    }
}
