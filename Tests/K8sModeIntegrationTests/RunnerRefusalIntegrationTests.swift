import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

/// What a real cluster refuses, and what it holds already.
@Suite(.serialized) struct RunnerRefusalIntegrationTests {
    private static let sleeper = "while :; do /bin/busybox sleep 1; done\n"

    @Test func f57PodsOfOtherVersionsAreReplacedOldGoneBeforeNew() async throws {
        try await RunnerStage.with { stage in
            for (prefix, id) in [("the0.dev", "old"), ("the0.app", "later")] {
                var pod = Pod(name: "bot-\(id)")
                pod.labels = ["\(prefix)/managed-by": "the0-bot-controller", "\(prefix)/bot-id": id]
                pod.spec = [
                    "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                    "containers": [
                        [
                            "name": "bot", "image": .string(RunnerStage.image), "imagePullPolicy": "IfNotPresent",
                            "command": ["/bin/busybox", "sleep", "3600"],
                            "env": [["name": "MINIO_SECRET_KEY", "value": "pa55word"]],
                        ]
                    ],
                ]
                _ = try await stage.runner.view.pods.create(pod)
                let spec = try stage.shell(BotID(id), Self.sleeper)
                let run = try await eventuallyValue { try await stage.runner.runs(of: .live, id: spec.id).first }
                #expect(run.isRunning && !run.matches(spec))
                try await stage.runner.remove(run)
                #expect(try await stage.pod(spec.id) == nil)
                try await stage.runner.start(spec, attempt: 0)
                try await stage.untilRunning(spec.id)
                #expect(try await stage.run(spec.id).matches(spec))
            }
        }
    }

    @Test func whoLacksARightIsToldWhich() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let stage = try RunnerStage(cluster, namespace, context: "poor")
            let spec = try stage.shell("b", Self.sleeper)
            do throws(RunnerError) {
                try await stage.runner.start(spec, attempt: 0)
                Issue.record("started without a right")
            } catch {
                #expect(error.message.contains("missing right: verb create on resource pods") && error.isRetryable)
            }
        }
    }

    @Test func aQuotaThatIsUsedUpIsToldAndTriedAgain() async throws {
        try await RunnerStage.with { stage in
            let quota = """
                {"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"pods":"0"}}}
                """
            try await stage.cluster.kubectl("apply", "-n", stage.namespace, "-f", "-", input: quota)
            let spec = try stage.shell("b", Self.sleeper)
            // The server counts from when it has seen the quota.
            try await eventually(within: .seconds(30), "the quota's refusal") {
                do throws(RunnerError) { try await stage.runner.start(spec, attempt: 0) } catch {
                    return error.message.contains("exceeded quota") && error.isRetryable
                        && !error.message.contains("missing right")
                }
                for run in try await stage.runner.runs(of: .live) { try await stage.runner.remove(run) }
                return false
            }
        }
    }
}
