import FoundationEssentials
import HTTP
import TestSupport
import Testing

@testable import K8sMode

/// Kubeconfig files, right and wrong.
@Suite struct KubeconfigTests {
    private static let good = """
        apiVersion: v1
        kind: Config
        current-context: main
        clusters:
        - name: c
          cluster: {server: "https://api.example:6443/", certificate-authority-data: Q0E=, tls-server-name: inner}
        users:
        - name: u
          user: {token: 12345}
        contexts:
        - name: main
          context: {cluster: c, user: u, namespace: bots}
        - name: other
          context: {cluster: c, user: u}
        """

    private func connection(_ text: String, context: String? = nil) throws -> ClusterConnection {
        let folder = try TemporaryFolder()
        let path = try folder.write("config", text)
        return try ClusterConnection.find(kubeconfig: path, context: context, environment: [:])
    }

    /// The message of a kubeconfig that has to be refused.
    private func refusal(_ text: String, context: String? = nil) throws -> String {
        do {
            _ = try connection(text, context: context)
            Issue.record("accepted: \(text)")
            return ""
        } catch let error as K8sError {
            #expect(error.code == .setting)
            #expect(!error.isRetryable)
            return error.message
        }
    }

    private func edited(_ old: String, _ new: String) -> String { Self.good.replacing(old, with: new) }

    @Test func aContextIsFollowed() throws {
        let main = try connection(Self.good)
        #expect(main.server == "https://api.example:6443")
        #expect(main.namespace == "bots")
        #expect(main.tls.caData == Array("CA".utf8))
        #expect(main.tls.serverName == "inner")
        #expect(main.tls.verify)
        // A token of digits is text.
        guard case .token("12345") = main.credential else {
            Issue.record("\(main.credential)")
            return
        }
        #expect(try connection(Self.good, context: "other").namespace == "default")
        #expect(!"\(main) \(main.credential)".contains("12345"))
    }

    @Test func messagesNameFileContextFieldAndWhatIsAllowed() throws {
        let unknown = try refusal(Self.good, context: "nope")
        #expect(
            unknown.contains("/config\"") && unknown.contains("\"nope\"") && unknown.contains("\"main\", \"other\"")
        )
        #expect(try refusal(edited("current-context: main", "")).contains("current-context is empty"))
        #expect(
            try refusal(edited("cluster: c, user: u, namespace", "cluster: d, user: u, namespace")).contains(
                "context \"main\": cluster names \"d\", which isn't under clusters"
            )
        )
        #expect(try refusal(edited("user: u, namespace", "user: v, namespace")).contains("user names \"v\""))
        #expect(
            try refusal(edited("server: \"https://api.example:6443/\", ", "")).contains(
                "cluster \"c\": server is missing"
            )
        )
        #expect(try refusal(edited("Q0E=", "a?b!")).contains("certificate-authority-data is no base64"))
        #expect(try refusal(edited("tls-server-name: inner", "insecure-skip-tls-verify: true")).contains("choose one"))
        #expect(
            try refusal(edited("tls-server-name: inner", "insecure-skip-tls-verify: maybe")).contains("true or false")
        )
        #expect(try refusal(edited("token: 12345", "client-certificate-data: Q0E=")).contains("client-key is missing"))
        #expect(try refusal(edited("token: 12345", "tokenFile: nowhere")).contains("/nowhere\", which can't be read"))
        #expect(try refusal(edited("token: 12345", "auth-provider: {name: gcp}")).contains("auth-provider"))
        #expect(try refusal(edited("tls-server-name: inner", "proxy-url: http://x")).contains("HTTPS_PROXY"))
    }

    @Test(arguments: [
        "ftp://x", "api.example", "https://", "https://user:geheim@x", "https://x?y=geheim", "https://x/#y",
        "https://a b",
    ])
    func serversThatAreNoneAreRefused(_ server: String) throws {
        let message = try refusal(edited("https://api.example:6443/", server))
        #expect(message.contains("allowed is https://host:port"))
        #expect(!message.contains("geheim"))
    }

    @Test(arguments: [
        "[", "- a", "7", "clusters: {}", "clusters: [7]", "clusters: [{cluster: {}}]", "apiVersion: v2",
        "a: &x [b]\nc: *x",
        "users: [{name: u, user: 7}]", "\u{FFFD}: [", "clusters: [{name: c, cluster: {server: [geheim]}}]",
    ])
    func whatIsNoKubeconfigIsRefused(_ text: String) throws {
        let message = try refusal(text)
        #expect(message.contains("config\""))
        #expect(!message.contains("geheim"))
    }

    @Test func secretsAreInNoMessage() throws {
        let text = edited("token: 12345", "token: \"gehe im\"")
        #expect(try !refusal(text).contains("gehe"))
        #expect(try !refusal(edited("token: 12345", "token: [geheim]")).contains("geheim"))
        #expect(try !refusal(edited("token: 12345", "token: \"geheim")).contains("geheim"))
        #expect(try !refusal(edited("token: 12345", "client-key-data: \"ge heim!\"")).contains("heim"))
    }

    @Test func skippingVerificationHasToBeSaid() throws {
        let text = edited("certificate-authority-data: Q0E=, tls-server-name: inner", "insecure-skip-tls-verify: true")
        #expect(try !connection(text).tls.verify)
    }

    @Test func relativePathsBeginAtTheFile() throws {
        let folder = try TemporaryFolder()
        try folder.write("sub/ca.crt", "CA")
        try folder.write("sub/token", "t\n")
        let text = edited("certificate-authority-data: Q0E=", "certificate-authority: ca.crt")
            .replacing("token: 12345", with: "tokenFile: ./token")
        let path = try folder.write("sub/config", text)
        let found = try ClusterConnection.find(kubeconfig: path, environment: [:])
        #expect(found.tls.caFile == folder.file("sub/ca.crt"))
    }

    @Test func severalFilesAreMergedAndTheFirstCounts() throws {
        let folder = try TemporaryFolder()
        try folder.write("1", "current-context: main\nusers: [{name: u, user: {token: first}}]")
        try folder.write("2", Self.good.replacing("current-context: main", with: "current-context: other"))
        try folder.write("3", "clusters: [{name: c, cluster: {server: 'https://third'}}]")
        let list = ["1", "missing", "2", "3"].map(folder.file).joined(separator: ":")
        let found = try ClusterConnection.find(environment: ["KUBECONFIG": list])
        #expect(found.namespace == "bots")
        #expect(found.server == "https://api.example:6443")
        guard case .token("first") = found.credential else {
            Issue.record("\(found.credential)")
            return
        }
    }

    @Test func missingFilesAreAnError() throws {
        let folder = try TemporaryFolder()
        for environment in [["KUBECONFIG": folder.file("a") + ":" + folder.file("b")], ["HOME": folder.path], [:]] {
            #expect(throws: K8sError.self) { try ClusterConnection.find(environment: environment) }
        }
        #expect(throws: K8sError.self) {
            try ClusterConnection.find(kubeconfig: folder.file("a"), environment: ["KUBECONFIG": folder.file("b")])
        }
        #expect(throws: K8sError.self) { try ClusterConnection.find(kubeconfig: folder.path, environment: [:]) }
    }

    @Test func theHomeFoldersFileIsFoundLast() throws {
        let folder = try TemporaryFolder()
        try folder.write(".kube/config", Self.good)
        #expect(try ClusterConnection.find(environment: ["HOME": folder.path]).namespace == "bots")
    }

    @Test func aPodKnowsItsCluster() throws {
        let folder = try TemporaryFolder()
        let inside = InCluster(folder: folder.path)
        let environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        #expect(try inside.connection(environment: [:]) == nil)
        // A bot's Pod has the variables, and no account.
        #expect(try inside.connection(environment: environment) == nil)
        try folder.write("token", "t\n")
        #expect(throws: K8sError.self) { try inside.connection(environment: environment) }
        try folder.write("namespace", "bots\n")
        try folder.write("ca.crt", "CA")
        let found = try #require(try inside.connection(environment: environment))
        #expect(found.server == "https://10.96.0.1:443")
        #expect(found.namespace == "bots")
        #expect(found.tls.caFile == folder.file("ca.crt"))
        let six = try inside.connection(environment: [
            "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443",
        ])
        #expect(six?.server == "https://[fd00::1]:443")
        #expect(throws: K8sError.self) {
            try inside.connection(environment: ["KUBERNETES_SERVICE_HOST": "x", "KUBERNETES_SERVICE_PORT": "tcp://x"])
        }
    }
}
