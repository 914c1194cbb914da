import DockerMode
import Runtime

@testable import runtime_cli

extension SettingSample {
    /// Settings of what bots get.
    static let bots: [SettingSample] = [
        SettingSample(
            key: .network,
            value: "host",
            other: "mine",
            effect: { "\($0.builder.sandbox.network)" },
            expected: "host",
            invalid: [
                ("none", "the name of a network"), ("a b", "the name of a network"),
                ("container:x", "the name of a network"),
            ]
        ),
        SettingSample(
            key: .image,
            value: "python3.11=a",
            other: "python3.11=b",
            effect: { $0.builder.catalogue["python3.11"]?.image ?? "" },
            expected: "a",
            invalid: [
                ("python3.11", "expected pairs"), ("=a", "expected pairs"), ("cobol=a", "known are"),
                ("python3.11=", "expected a name"),
                ("python3.11=a,", "expected pairs"), ("gcc13=a,gcc13=b", "twice"), ("gcc13=a b", "expected a name"),
            ]
        ),
        SettingSample(
            key: .memoryLimit,
            value: "1Gi",
            other: "2Gi",
            effect: { "\($0.builder.resources.memoryLimit)" },
            expected: "\(1 << 30)",
            invalid: bytes + [("1Ki", "at least 6Mi")]
        ),
        SettingSample(
            key: .memoryLimitMegabytes,
            value: "64",
            other: "128",
            effect: { "\($0.builder.resources.memoryLimit)" },
            expected: "\(64 << 20)",
            invalid: whole(6...(1 << 40)) + [("5", "from 6")]
        ),
        SettingSample(
            key: .cpuLimit,
            value: "250m",
            other: "2",
            effect: { "\($0.builder.resources.cpuLimit)" },
            expected: "250",
            invalid: [("fast", "expected a number"), ("0", "more than 0"), ("-1", "is negative")]
        ),
        SettingSample(
            key: .cpuShares,
            value: "512",
            other: "256",
            effect: { "\($0.docker.cpuShares ?? 0)" },
            expected: "512",
            invalid: whole(0...262_144)
        ),
        SettingSample(
            key: .user,
            value: "1000:1001",
            other: "7",
            effect: { "\($0.builder.sandbox.user)" },
            expected: "1000:1001",
            invalid: ["root", "1:2:3", "-1", "1:", "2147483648"].map { ($0, "expected numbers") }
        ),
        SettingSample(
            key: .processLimit,
            value: "10",
            other: "20",
            effect: { "\($0.builder.sandbox.processLimit)" },
            expected: "10",
            invalid: whole(1...4_194_304) + [("0", "from 1")]
        ),
        SettingSample(
            key: .tmpSize,
            value: "1Mi",
            other: "2Mi",
            effect: { "\($0.builder.sandbox.temporarySize)" },
            expected: "\(1 << 20)",
            invalid: bytes
        ),
        SettingSample(
            key: .readOnlyRoot,
            value: "false",
            other: "true",
            effect: { "\($0.builder.sandbox.readOnlyRoot)" },
            expected: "false",
            invalid: bools
        ),
        SettingSample(
            key: .dropCapabilities,
            value: "false",
            other: "true",
            effect: { "\($0.builder.sandbox.dropCapabilities)" },
            expected: "false",
            invalid: bools
        ),
        SettingSample(
            key: .noNewPrivileges,
            value: "false",
            other: "true",
            effect: { "\($0.builder.sandbox.noNewPrivileges)" },
            expected: "false",
            invalid: bools
        ),
    ]
}
