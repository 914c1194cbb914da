import Control
import DockerMode
import LocalMode
import ObjectStorage

@testable import runtime_cli

extension SettingSample {
    /// Settings of what a runner depends on.
    static let services: [SettingSample] = [
        SettingSample(
            key: .store,
            value: "/a",
            other: "/b",
            effect: { "\($0.store)" },
            expected: "directory(\"/a\")",
            invalid: [
                ("mongo://h", "expected a directory, mongodb://"), ("http://h", "expected a directory, mongodb://"),
            ]
        ),
        SettingSample(
            key: .mongoURI,
            value: "mongodb://a",
            other: "mongodb://b",
            effect: { "\($0.store)" },
            expected: "mongo(\"mongodb://a\")",
            invalid: [("/some/folder", "expected mongodb://"), ("postgres://h", "expected mongodb://")]
        ),
        SettingSample(
            key: .natsURL,
            value: "nats://a",
            other: "nats://b",
            effect: { $0.natsURL ?? "" },
            expected: "nats://a",
            surroundings: ["MONGO_URI": "mongodb://a"]
        ),
        SettingSample(
            key: .backend,
            value: "local",
            other: "auto",
            effect: { $0.backend.rawValue },
            expected: "local",
            invalid: [("podman", "docker, local or auto"), ("Docker", "docker, local or auto")]
        ),
        SettingSample(
            key: .localSandbox,
            value: "bubblewrap",
            other: "none",
            effect: { $0.local.confinement.rawValue },
            expected: "bubblewrap",
            invalid: [("bwrap", "none or bubblewrap"), ("yes", "none or bubblewrap")]
        ),
        SettingSample(
            key: .dockerHost,
            value: "tcp://a:1",
            other: "tcp://b:2",
            effect: { "\($0.engine)" },
            expected: "http://a:1",
            invalid: [
                ("a:1", "allowed are unix:///path"), ("ftp://a", "allowed are"), ("ssh://a", "socket"),
                ("tcp://", "allowed are"),
            ]
        ),
        SettingSample(
            key: .dockerTLSVerify,
            value: "true",
            other: "false",
            effect: { "\($0.engine)" },
            expected: "https://a:2376",
            surroundings: ["DOCKER_HOST": "tcp://a"],
            invalid: bools,
            anyTextInEnvironment: true
        ),
        SettingSample(
            key: .dockerCertificates,
            value: "/a",
            other: "/b",
            effect: { $0.engine == (try? DockerConnection(host: "tcp://a", certificates: "/a")) ? "/a" : "other" },
            expected: "/a",
            surroundings: ["DOCKER_HOST": "tcp://a"]
        ),
        SettingSample(
            key: .dockerConfig,
            value: "/a",
            other: "/b",
            effect: { $0.docker.registryLogins ?? "" },
            expected: "/a"
        ),
        SettingSample(
            key: .objects,
            value: "/a",
            other: "/b",
            effect: { $0.objectFolder ?? "" },
            expected: "/a",
            invalid: [("http://minio:9000", "expected a directory")]
        ),
        SettingSample(
            key: .minioEndpoint,
            value: "a:1",
            other: "b:2",
            effect: { $0.objects?.endpoint ?? "" },
            expected: "a:1",
            surroundings: objectStore,
            invalid: [("http://a", "it is host:port"), ("a:0", "port from 1 to 65535"), ("a b", "is no host:port")]
        ),
        SettingSample(
            key: .minioAccessKey,
            value: "key1",
            other: "key2",
            effect: { $0.objects?.accessKey ?? "" },
            expected: "key1",
            surroundings: objectStore,
            invalid: [("spaced out key", "has a space"), ("a/slashed/key", "has a \"/\"")]
        ),
        SettingSample(
            key: .minioSecretKey,
            value: "key1",
            other: "key2",
            effect: { $0.objects?.secretKey ?? "" },
            expected: "key1",
            surroundings: objectStore,
            invalid: [("spaced out key", "has a space"), ("schlüssel", "non-ASCII")]
        ),
        SettingSample(
            key: .minioAccessKeyFile,
            value: SecretFiles.first,
            other: SecretFiles.second,
            effect: { $0.objects?.accessKey ?? "" },
            expected: "first-secret",
            surroundings: objectStore.filter { $0.key != "MINIO_ACCESS_KEY" },
            invalid: SecretFiles.invalid
        ),
        SettingSample(
            key: .minioSecretKeyFile,
            value: SecretFiles.first,
            other: SecretFiles.second,
            effect: { $0.objects?.secretKey ?? "" },
            expected: "first-secret",
            surroundings: objectStore.filter { $0.key != "MINIO_SECRET_KEY" },
            invalid: SecretFiles.invalid
        ),
        SettingSample(
            key: .minioTLS,
            value: "true",
            other: "false",
            effect: { "\($0.objects?.useTLS == true)" },
            expected: "true",
            surroundings: objectStore,
            invalid: bools
        ),
        SettingSample(
            key: .minioRegion,
            value: "eu-1",
            other: "eu-2",
            effect: { $0.objects?.region ?? "" },
            expected: "eu-1",
            surroundings: objectStore,
            invalid: [("EU WEST", "allowed are lower-case")]
        ),
        SettingSample(
            key: .logsBucket,
            value: "logs-a",
            other: "logs-b",
            effect: { "\($0.logs.bucket), \($0.logs.objects?.bucket ?? "")" },
            expected: "logs-a, logs-a",
            surroundings: objectStore,
            invalid: [("Logs", "lower-case letters")]
        ),
        SettingSample(
            key: .resultsBucket,
            value: "results-a",
            other: "results-b",
            effect: { "\($0.scheduler.resultsBucket), \($0.scheduler.objects?.bucket ?? "")" },
            expected: "results-a, results-a",
            surroundings: objectStore,
            invalid: [("Results", "lower-case letters")]
        ),
        SettingSample(
            key: .collectLogs,
            value: "false",
            other: "true",
            effect: { "\($0.logs.isCollected)" },
            expected: "false",
            invalid: bools
        ),
        SettingSample(
            key: .logSpoolSize,
            value: "64Mi",
            other: "128Mi",
            effect: { "\($0.logs.spoolSize)" },
            expected: "67108864",
            invalid: bytes
        ),
        SettingSample(
            key: .maskLogs,
            value: "true",
            other: "false",
            effect: { "\($0.logs.isMasked)" },
            expected: "true",
            invalid: bools
        ),
        SettingSample(
            key: .codeBucket,
            value: "code-a",
            other: "code-b",
            effect: { "\($0.codeBucket), \($0.objects?.bucket ?? "")" },
            expected: "code-a, code-a",
            surroundings: objectStore,
            invalid: [("No", "allowed are 3 to 63"), ("../x", "allowed are 3 to 63")]
        ),
    ]
}
