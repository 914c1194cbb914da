import Control
import DockerMode
import Logging
import Monitoring
import Runtime
import Util

@testable import runtime_cli

extension SettingSample {
    /// Settings of how a runner goes about its work.
    static let running: [SettingSample] = [
        SettingSample(
            key: .reconcileInterval,
            value: "1m30s",
            other: "5s",
            effect: { GoDuration.string($0.reconciler.interval) },
            expected: "1m30s",
            invalid: durations + [("10ms", "least allowed")]
        ),
        SettingSample(
            key: .checkInterval,
            value: "1m30s",
            other: "5s",
            effect: { GoDuration.string($0.scheduler.interval) },
            expected: "1m30s",
            invalid: durations + [("10ms", "least allowed")]
        ),
        SettingSample(
            key: .instance,
            value: "blue",
            other: "green",
            effect: { $0.instance },
            expected: "blue",
            invalid: ["Blue", "-a", "a-", "a b", "a/../b", String(repeating: "a", count: 41)].map {
                ($0, "expected 1 to 40")
            }
        ),
        SettingSample(
            key: .pull,
            value: "never",
            other: "always",
            effect: { $0.docker.pullPolicy.rawValue },
            expected: "never",
            invalid: [("sometimes", "missing, always or never")]
        ),
        SettingSample(
            key: .parallelStarts,
            value: "17",
            other: "18",
            effect: { "\($0.reconciler.parallelStarts)" },
            expected: "17",
            invalid: whole(1...1000) + [("0", "from 1")]
        ),
        SettingSample(
            key: .stopGrace,
            value: "5s",
            other: "6s",
            effect: { GoDuration.string($0.docker.stopGrace) },
            expected: "5s",
            invalid: durations + [("1ms", "least allowed"), ("2h", "expected 1s to 1h")]
        ),
        SettingSample(
            key: .restartInitial,
            value: "2s",
            other: "3s",
            effect: { GoDuration.string($0.reconciler.restart.backoff.initial) },
            expected: "2s",
            invalid: durations + [("10m", "maximum is 5m0s")]
        ),
        SettingSample(
            key: .restartMaximum,
            value: "2m0s",
            other: "3m",
            effect: { GoDuration.string($0.reconciler.restart.backoff.maximum) },
            expected: "2m0s",
            invalid: durations + [("10ms", "must be from initial (1s)")]
        ),
        SettingSample(
            key: .restartResetAfter,
            value: "1h0m0s",
            other: "2h",
            effect: { GoDuration.string($0.reconciler.restart.resetAfter) },
            expected: "1h0m0s",
            invalid: durations
        ),
        SettingSample(
            key: .cacheDirectory,
            value: "/a",
            other: "/b",
            effect: { $0.cacheDirectory },
            expected: "/a"
        ),
        SettingSample(
            key: .cacheSize,
            value: "1Gi",
            other: "2Gi",
            effect: { "\($0.cacheSize)" },
            expected: "\(1 << 30)",
            invalid: bytes
        ),
        SettingSample(
            key: .engineLogSize,
            value: "1Mi",
            other: "2Mi",
            effect: { $0.docker.logFileSize },
            expected: "\(1 << 20)",
            invalid: bytes
        ),
        SettingSample(
            key: .engineLogFiles,
            value: "5",
            other: "6",
            effect: { "\($0.docker.logFileCount)" },
            expected: "5",
            invalid: whole(1...1000) + [("0", "from 1")]
        ),
        SettingSample(
            key: .logLevel,
            value: "Debug",
            other: "error",
            effect: { "\($0.logging.level)" },
            expected: "debug",
            invalid: [("loud", "allowed are trace")]
        ),
        SettingSample(
            key: .logFormat,
            value: "json",
            other: "text",
            effect: { "\($0.logging.format)" },
            expected: "json",
            invalid: [("xml", "allowed are")]
        ),
        SettingSample(
            key: .listen,
            value: "127.0.0.1:1",
            other: ":2",
            effect: { "\($0.listen)" },
            expected: "127.0.0.1:1",
            invalid: ["8080", ":http", ":65536", "::1:80", "a b:80"].map { ($0, "allowed are") }
        ),
    ]
}
