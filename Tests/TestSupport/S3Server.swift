import Foundation

/// An S3 server (SeaweedFS) in MinIO's place.
public final class S3Server: Sendable {
    /// Its process, to kill, hang and restart.
    public let service: LocalService
    /// Host and port, as in `MINIO_ENDPOINT`.
    public let endpoint: String
    /// The same for TLS; nil where it has no certificate.
    public let secureEndpoint: String?
    /// The only access key.
    public let accessKey = S3Server.credentials.access
    /// Its secret.
    public let secretKey = S3Server.credentials.secret
    /// The region that requests are signed for.
    public let region = "us-east-1"

    /// The runtime's variables for this server.
    public var environment: [String: String] {
        [
            "MINIO_ENDPOINT": endpoint, "MINIO_ACCESS_KEY": accessKey, "MINIO_SECRET_KEY": secretKey,
            "MINIO_SSL": "false", "MINIO_REGION": region,
        ]
    }

    // With characters that a URL would escape.
    private static let credentials = (access: "the0-access", secret: "the0-secret/key+1")

    private init(service: LocalService, endpoint: String, secureEndpoint: String?) {
        self.service = service
        self.endpoint = endpoint
        self.secureEndpoint = secureEndpoint
    }

    private static let sharedServer = SharedService { try await S3Server.start() }

    /// One server for all that use buckets with names of their own.
    public static func shared() async throws -> S3Server {
        try await sharedServer.instance()
    }

    /// Starts one; it has no bucket but `fixture`, in which the fixture looks whether it works.
    /// - Parameter certificates: for TLS, on a port of its own.
    /// - Throws: `FixtureError` when it is not installed or does not start.
    public static func start(certificates: TestCertificates? = nil) async throws -> S3Server {
        _ = removeAbandonedSockets
        let folder = try TemporaryFolder()
        let port = try freePort()
        try folder.write(
            "s3.json",
            """
            {"identities": [{"name": "the0",
              "credentials": [{"accessKey": "\(credentials.access)", "secretKey": "\(credentials.secret)"}],
              "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
            """
        )
        var command = [
            try ServicePrograms.path("weed"), "server", "-dir=\(folder.path)", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-s3", "-s3.port=\(port)", "-s3.config=\(folder.file("s3.json"))", "-filer",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
            // With its old state a master that was killed finds no leader.
            "-master.resumeState=false", "-volume.max=200", "-volume.preStopSeconds=0",
        ]
        var secureEndpoint: String?
        if let certificates {
            let port = try freePort()
            command += [
                "-s3.port.https=\(port)", "-s3.cert.file=\(certificates.serverCertificate)",
                "-s3.key.file=\(certificates.serverKey)",
            ]
            secureEndpoint = "127.0.0.1:\(port)"
        }
        // Its parts talk over ports of their own; without a port it takes well-known ones. It leaves sockets in /tmp.
        for part in ["master", "volume", "filer", "s3"] {
            if part != "s3" { command.append("-\(part).port=\(try freePort())") }
            let grpcPort = try freePort()
            command.append("-\(part).port.grpc=\(grpcPort)")
            ProcessExit.remember(path: "/tmp/seaweedfs-\(part)-grpc-\(grpcPort).sock")
        }
        for option in command where option.hasPrefix("-filer.port=") || option.hasPrefix("-s3.port=") {
            let parts = option.dropFirst().split(separator: ".port=")
            ProcessExit.remember(path: "/tmp/seaweedfs-\(parts.joined(separator: "-")).sock")
        }
        // A bucket takes one volume instead of seven.
        let environment = ["WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"]
        let service = try await LocalService("s3", folder: folder, command: command, environment: environment) {
            guard await answersHTTP(.port(port), path: "/healthz") else { return false }
            return await storesAndReads("http://127.0.0.1:\(port)/fixture")
        }
        return S3Server(service: service, endpoint: "127.0.0.1:\(port)", secureEndpoint: secureEndpoint)
    }

    /// Ends it and removes its data.
    public func stop() async {
        await service.stop()
    }

    /// Sockets of servers that were killed along with their test process.
    private static let removeAbandonedSockets: Void = {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
        where name.hasPrefix("seaweedfs-") {
            if isAbandoned(socket: "/tmp/\(name)") { try? FileManager.default.removeItem(atPath: "/tmp/\(name)") }
        }
    }()

    /// It says that it is healthy seconds before it can read what it has stored.
    private static func storesAndReads(_ bucket: String) async -> Bool {
        let script = """
            set -e
            signed() { curl -fsS -m 2 -o /dev/null --aws-sigv4 aws:amz:us-east-1:s3 -u "$CREDENTIALS" "$@"; }
            signed "$1" || signed -X PUT "$1"
            signed "$1/ready" || signed -T /etc/os-release "$1/ready"
            signed "$1/ready"
            """
        let environment = ["CREDENTIALS": "\(credentials.access):\(credentials.secret)"]
        let result = try? await runCommand(["sh", "-c", script, "sh", bucket], environment: environment)
        return result?.isSuccess ?? false
    }
}
