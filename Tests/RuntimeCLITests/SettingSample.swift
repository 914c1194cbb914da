import Control
import DockerMode
import Model
import Monitoring
import ObjectStorage
import Runtime
import Util

@testable import runtime_cli

/// How one setting is tried: values that differ in their effect, values that are refused, and how the effect is seen.
struct SettingSample: Sendable, CustomStringConvertible {
    let key: SettingKey
    /// A value whose effect differs from the default's and from that of the other.
    let value: String
    /// Another value.
    let other: String
    /// What can be seen of the effect.
    let effect: @Sendable (RunnerSettings) -> String
    /// The effect of `value`.
    let expected: String
    /// What stands in the environment besides, for the setting to mean anything.
    var surroundings: [String: String] = [:]
    /// Values that must be refused, each with a part of the message that says what is allowed.
    var invalid: [(value: String, allowed: String)] = []
    /// Whether the environment takes any text, as Docker's client does.
    var anyTextInEnvironment = false

    var description: String { key.name }
}

extension SettingSample {
    static let objectStore = [
        "MINIO_ENDPOINT": "minio:9000", "MINIO_ACCESS_KEY": "anAccessKey", "MINIO_SECRET_KEY": "aSecretKey",
    ]

    /// The surroundings without the setting's own variables.
    var environment: [String: String] {
        var environment = surroundings
        environment["HOME"] = "/home/me"
        for variable in key.variables { environment[variable] = nil }
        return environment
    }

    func settings(flag: String? = nil, variable: (String, String)? = nil, file: String? = nil) throws -> RunnerSettings {
        var sources = SettingSources(environment: environment, filePath: "settings.yaml")
        if let flag { sources.flags[key.name] = flag }
        if let (name, text) = variable { sources.environment[name] = text }
        if let file { sources.file[key.name] = .string(file) }
        return try RunnerSettings(sources)
    }


    private static let durations = [("fast", "no duration"), ("5", "write numbers with units"), ("-1s", "least allowed")]
    private static let bytes = [("much", "expected a number"), ("0", "more than 0"), ("-1Mi", "more than 0")]
    private static let bools = [("maybe", "true or false"), ("2", "true or false")]

    private static func whole(_ range: ClosedRange<Int64>) -> [(value: String, allowed: String)] {
        let allowed = "from \(range.lowerBound) to \(range.upperBound)"
        return ["many", "1.5", "-1", "99999999999999999999"].map { ($0, allowed) } + [("\(range.upperBound + 1)", allowed)]
    }

    static let all: [SettingSample] = services + bots + running

    private static let services: [SettingSample] = [
        SettingSample(
            key: .store, value: "/a", other: "/b", effect: { "\($0.store)" }, expected: "directory(\"/a\")",
            invalid: [("mongo://h", "expected a directory, mongodb://"), ("http://h", "expected a directory, mongodb://")]
        ),
        SettingSample(
            key: .mongoURI, value: "mongodb://a", other: "mongodb://b", effect: { "\($0.store)" },
            expected: "mongo(\"mongodb://a\")",
            invalid: [("/some/folder", "expected mongodb://"), ("postgres://h", "expected mongodb://")]
        ),
        SettingSample(
            key: .natsURL, value: "nats://a", other: "nats://b", effect: { $0.natsURL ?? "" }, expected: "nats://a",
            surroundings: ["MONGO_URI": "mongodb://a"]
        ),
        SettingSample(
            key: .dockerHost, value: "tcp://a:1", other: "tcp://b:2", effect: { "\($0.engine)" }, expected: "http://a:1",
            invalid: [("a:1", "allowed are unix:///path"), ("ftp://a", "allowed are"), ("ssh://a", "socket"), ("tcp://", "allowed are")]
        ),
        SettingSample(
            key: .dockerTLSVerify, value: "true", other: "false", effect: { "\($0.engine)" }, expected: "https://a:2376",
            surroundings: ["DOCKER_HOST": "tcp://a"], invalid: bools, anyTextInEnvironment: true
        ),
        SettingSample(
            key: .dockerCertificates, value: "/a", other: "/b",
            effect: { $0.engine == (try? DockerConnection(host: "tcp://a", certificates: "/a")) ? "/a" : "other" }, expected: "/a",
            surroundings: ["DOCKER_HOST": "tcp://a"]
        ),
        SettingSample(
            key: .minioEndpoint, value: "a:1", other: "b:2", effect: { $0.objects?.endpoint ?? "" }, expected: "a:1",
            surroundings: objectStore,
            invalid: [("http://a", "it is host:port"), ("a:0", "port from 1 to 65535"), ("a b", "is no host:port")]
        ),
        SettingSample(
            key: .minioAccessKey, value: "key1", other: "key2", effect: { $0.objects?.accessKey ?? "" }, expected: "key1",
            surroundings: objectStore, invalid: [("spaced out key", "has a space"), ("a/slashed/key", "has a \"/\"")]
        ),
        SettingSample(
            key: .minioSecretKey, value: "key1", other: "key2", effect: { $0.objects?.secretKey ?? "" }, expected: "key1",
            surroundings: objectStore, invalid: [("spaced out key", "has a space"), ("schlüssel", "non-ASCII")]
        ),
        SettingSample(
            key: .minioAccessKeyFile, value: SecretFiles.first, other: SecretFiles.second,
            effect: { $0.objects?.accessKey ?? "" }, expected: "first-secret",
            surroundings: objectStore.filter { $0.key != "MINIO_ACCESS_KEY" }, invalid: SecretFiles.invalid
        ),
        SettingSample(
            key: .minioSecretKeyFile, value: SecretFiles.first, other: SecretFiles.second,
            effect: { $0.objects?.secretKey ?? "" }, expected: "first-secret",
            surroundings: objectStore.filter { $0.key != "MINIO_SECRET_KEY" }, invalid: SecretFiles.invalid
        ),
        SettingSample(
            key: .minioTLS, value: "true", other: "false", effect: { "\($0.objects?.useTLS == true)" }, expected: "true",
            surroundings: objectStore, invalid: bools
        ),
        SettingSample(
            key: .minioRegion, value: "eu-1", other: "eu-2", effect: { $0.objects?.region ?? "" }, expected: "eu-1",
            surroundings: objectStore, invalid: [("EU WEST", "allowed are lower-case")]
        ),
        SettingSample(
            key: .codeBucket, value: "code-a", other: "code-b", effect: { $0.objects?.bucket ?? "" }, expected: "code-a",
            surroundings: objectStore, invalid: [("No", "allowed are 3 to 63"), ("../x", "allowed are 3 to 63")]
        ),
    ]

    private static let bots: [SettingSample] = [
        SettingSample(
            key: .network, value: "host", other: "mine", effect: { "\($0.builder.sandbox.network)" }, expected: "host",
            invalid: [("none", "the name of a network"), ("a b", "the name of a network"), ("container:x", "the name of a network")]
        ),
        SettingSample(
            key: .image, value: "python3.11=a", other: "python3.11=b",
            effect: { $0.builder.catalogue["python3.11"]?.image ?? "" }, expected: "a",
            invalid: [
                ("python3.11", "expected pairs"), ("=a", "expected pairs"), ("cobol=a", "known are"), ("python3.11=", "expected a name"),
                ("python3.11=a,", "expected pairs"), ("gcc13=a,gcc13=b", "twice"), ("gcc13=a b", "expected a name"),
            ]
        ),
        SettingSample(
            key: .memoryLimit, value: "1Gi", other: "2Gi", effect: { "\($0.builder.resources.memoryLimit)" },
            expected: "\(1 << 30)", invalid: bytes + [("1Ki", "at least 6Mi")]
        ),
        SettingSample(
            key: .memoryLimitMegabytes, value: "64", other: "128", effect: { "\($0.builder.resources.memoryLimit)" },
            expected: "\(64 << 20)", invalid: whole(6...(1 << 40)) + [("5", "from 6")]
        ),
        SettingSample(
            key: .cpuLimit, value: "250m", other: "2", effect: { "\($0.builder.resources.cpuLimit)" }, expected: "250",
            invalid: [("fast", "expected a number"), ("0", "more than 0"), ("-1", "more than 0")]
        ),
        SettingSample(
            key: .cpuShares, value: "512", other: "256", effect: { "\($0.docker.cpuShares ?? 0)" }, expected: "512",
            invalid: whole(0...262_144)
        ),
        SettingSample(
            key: .user, value: "1000:1001", other: "7", effect: { "\($0.builder.sandbox.user)" }, expected: "1000:1001",
            invalid: ["root", "1:2:3", "-1", "1:", "2147483648"].map { ($0, "expected numbers") }
        ),
        SettingSample(
            key: .processLimit, value: "10", other: "20", effect: { "\($0.builder.sandbox.processLimit)" }, expected: "10",
            invalid: whole(1...4_194_304) + [("0", "from 1")]
        ),
        SettingSample(
            key: .tmpSize, value: "1Mi", other: "2Mi", effect: { "\($0.builder.sandbox.temporarySize)" }, expected: "\(1 << 20)",
            invalid: bytes
        ),
        SettingSample(
            key: .readOnlyRoot, value: "false", other: "true", effect: { "\($0.builder.sandbox.readOnlyRoot)" },
            expected: "false", invalid: bools
        ),
        SettingSample(
            key: .dropCapabilities, value: "false", other: "true", effect: { "\($0.builder.sandbox.dropCapabilities)" },
            expected: "false", invalid: bools
        ),
        SettingSample(
            key: .noNewPrivileges, value: "false", other: "true", effect: { "\($0.builder.sandbox.noNewPrivileges)" },
            expected: "false", invalid: bools
        ),
    ]

    private static let running: [SettingSample] = [
        SettingSample(
            key: .reconcileInterval, value: "1m30s", other: "5s", effect: { GoDuration.string($0.reconciler.interval) },
            expected: "1m30s", invalid: durations + [("10ms", "least allowed")]
        ),
        SettingSample(
            key: .instance, value: "blue", other: "green", effect: { $0.instance }, expected: "blue",
            invalid: ["Blue", "-a", "a-", "a b", "a/../b", String(repeating: "a", count: 41)].map { ($0, "expected 1 to 40") }
        ),
        SettingSample(
            key: .pull, value: "never", other: "always", effect: { $0.docker.pullPolicy.rawValue }, expected: "never",
            invalid: [("sometimes", "missing, always or never")]
        ),
        SettingSample(
            key: .parallelStarts, value: "17", other: "18", effect: { "\($0.reconciler.parallelStarts)" }, expected: "17",
            invalid: whole(1...1000) + [("0", "from 1")]
        ),
        SettingSample(
            key: .stopGrace, value: "5s", other: "6s", effect: { GoDuration.string($0.docker.stopGrace) }, expected: "5s",
            invalid: durations + [("1ms", "least allowed"), ("2h", "expected 1s to 1h")]
        ),
        SettingSample(
            key: .restartInitial, value: "2s", other: "3s", effect: { GoDuration.string($0.reconciler.restart.backoff.initial) },
            expected: "2s", invalid: durations + [("10m", "maximum is 5m0s")]
        ),
        SettingSample(
            key: .restartMaximum, value: "2m0s", other: "3m", effect: { GoDuration.string($0.reconciler.restart.backoff.maximum) },
            expected: "2m0s", invalid: durations + [("10ms", "must be from initial (1s)")]
        ),
        SettingSample(
            key: .restartResetAfter, value: "1h0m0s", other: "2h", effect: { GoDuration.string($0.reconciler.restart.resetAfter) },
            expected: "1h0m0s", invalid: durations
        ),
        SettingSample(
            key: .cacheDirectory, value: "/a", other: "/b", effect: { $0.cacheDirectory }, expected: "/a"
        ),
        SettingSample(
            key: .cacheSize, value: "1Gi", other: "2Gi", effect: { "\($0.cacheSize)" }, expected: "\(1 << 30)", invalid: bytes
        ),
        SettingSample(
            key: .engineLogSize, value: "1Mi", other: "2Mi", effect: { $0.docker.logFileSize }, expected: "\(1 << 20)",
            invalid: bytes
        ),
        SettingSample(
            key: .engineLogFiles, value: "5", other: "6", effect: { "\($0.docker.logFileCount)" }, expected: "5",
            invalid: whole(1...1000) + [("0", "from 1")]
        ),
        SettingSample(
            key: .logLevel, value: "Debug", other: "error", effect: { "\($0.logging.level)" }, expected: "debug",
            invalid: [("loud", "allowed are trace")]
        ),
        SettingSample(
            key: .logFormat, value: "json", other: "text", effect: { "\($0.logging.format)" }, expected: "json",
            invalid: [("xml", "allowed are")]
        ),
        SettingSample(
            key: .listen, value: "127.0.0.1:1", other: ":2", effect: { "\($0.listen)" }, expected: "127.0.0.1:1",
            invalid: ["8080", ":http", ":65536", "::1:80", "a b:80"].map { ($0, "allowed are") }
        ),
    ]
}
