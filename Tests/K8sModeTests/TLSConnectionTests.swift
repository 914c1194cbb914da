import FoundationEssentials
import TestSupport
import Testing

@testable import K8sMode

/// Kubeconfigs with certificates, against `openssl s_server`, which stands for an API server that asks for one.
@Suite struct TLSConnectionTests {
    private static let certificates = Task { try await TestCertificates.make() }

    /// `openssl s_server -HTTP` sends files as whole responses: this one is a server's version.
    private func withServer(_ body: (UInt16, TestCertificates) async throws -> Void) async throws {
        let certificates = try await Self.certificates.value
        let folder = try TemporaryFolder()
        let text = #"{"major":"1","minor":"30","gitVersion":"v1.30.0"}"#
        let batch = #"{"kind":"APIResourceList","resources":[{"name":"cronjobs"}]}"#
        for (path, body) in [("version", text), ("apis/batch/v1", batch)] {
            try folder.write(path, "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        let port = try freePort()
        let process = try ChildProcess(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-HTTP", "-Verify", "2", "-verify_return_error",
                "-cert", certificates.serverCertificate, "-key", certificates.serverKey, "-CAfile",
                certificates.authority,
            ],
            folder: folder.path,
            output: folder.file("log")
        )
        defer { process.killGroup() }
        try await eventually(within: .seconds(60), "openssl s_server") {
            try String(contentsOfFile: folder.file("log"), encoding: .utf8).contains("ACCEPT")
        }
        try await body(port, certificates)
    }

    private func connection(_ cluster: String, _ user: String) throws -> ClusterConnection {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "config",
            """
            current-context: x
            clusters: [{name: x, cluster: {\(cluster)}}]
            contexts: [{name: x, context: {cluster: x, user: x}}]
            users: [{name: x, user: {\(user)}}]
            """
        )
        return try ClusterConnection.find(kubeconfig: path, environment: [:])
    }

    private func base64(_ path: String) throws -> String {
        try Data(contentsOf: URL(fileURLWithPath: path)).base64EncodedString()
    }

    @Test func certificatesAreShownFromFilesAndFromData() async throws {
        try await withServer { port, made in
            let server = #"server: "https://127.0.0.1:\#(port)""#
            let files = try connection(
                "\(server), certificate-authority: \(made.authority)",
                "client-certificate: \(made.clientCertificate), client-key: \(made.clientKey)"
            )
            #expect(try await K8sClient(files, logger: quiet).capabilities().version == "v1.30.0")
            let data = try connection(
                "\(server), certificate-authority-data: \(base64(made.authority))",
                "client-certificate-data: \(base64(made.clientCertificate)), client-key-data: \(base64(made.clientKey))"
            )
            #expect(try await K8sClient(data, logger: quiet).capabilities().timeZones == .stable)
            // The certificate is for localhost and 127.0.0.1.
            let named = try connection(
                "\(server), certificate-authority: \(made.authority), tls-server-name: localhost",
                "client-certificate: \(made.clientCertificate), client-key: \(made.clientKey)"
            )
            #expect(try await K8sClient(named, logger: quiet).capabilities().cronJobs == .cronJobs)
            let unchecked = try connection(
                "\(server), insecure-skip-tls-verify: true",
                "client-certificate: \(made.clientCertificate), client-key: \(made.clientKey)"
            )
            #expect(try await K8sClient(unchecked, logger: quiet).capabilities().cronJobs == .cronJobs)
        }
    }

    @Test func whoIsNotTrustedIsAnError() async throws {
        try await withServer { port, made in
            let server = #"server: "https://127.0.0.1:\#(port)""#
            let identity = "client-certificate: \(made.clientCertificate), client-key: \(made.clientKey)"
            for wrong in [
                // The system's authorities don't know this one.
                try connection(server, identity),
                try connection("\(server), certificate-authority: \(made.authority), tls-server-name: other", identity),
                try connection("\(server), certificate-authority: \(made.authority)", "token: x"),
                try connection("\(server), certificate-authority-data: Z2VoZWlt", identity),
                try connection(
                    "\(server), certificate-authority: \(made.authority)",
                    "client-certificate: \(made.clientCertificate), client-key: \(made.serverKey)"
                ),
            ] {
                let error = await failure { try await K8sClient(wrong, logger: quiet).capabilities() }
                #expect(error?.code == .setting, "\(String(describing: error))")
                #expect(error?.isRetryable == false)
                #expect(error?.message.contains("geheim") == false)
            }
        }
    }
}
