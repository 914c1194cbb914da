import Foundation
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

/// Live bots as Pods that really run.
@Suite struct RunnerIntegrationTests {
    private static let sleeper = "while :; do /bin/busybox sleep 1; done\n"

    @Test func aBotRunsWithItsParametersAndNothingElse() async throws {
        try await RunnerStage.with { stage in
            let program = """
                import json, os, sys

                def main(id, config):
                    print("id", id, "config", json.dumps(config, sort_keys=True))
                    print("user", os.getuid(), os.getgid(), "cwd", os.getcwd())
                    for path in ["/bot/x", "/state/x", "/tmp/x", "/x", "/the0/x", "/run/the0/code.json"]:
                        try:
                            open(path, "a").close()
                            print(path, "writable")
                        except OSError as error:
                            print(path, type(error).__name__)
                    print("token", os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"))
                    print("services", [n for n in os.environ if "KUBERNETES" in n])
                    while True:
                        sys.stdin.read(0)
                        import time; time.sleep(1)
                """
            let spec = try stage.python("p-\u{E9}$(x)", program, ["key": "pa55'word$(ID)", "n": 1])
            try await stage.runner.start(spec, attempt: 0)
            try await stage.untilRunning(spec.id)
            let run = try await stage.run(spec.id)
            #expect(run.isRunning && run.matches(spec))
            let lines = try await eventuallyValue(within: .seconds(30)) {
                let lines = try await stage.runner.lastLines(of: run, limit: 50).map(\.text)
                return lines.contains { $0.hasPrefix("services") } ? lines : nil
            }
            #expect(lines.first == #"id p-é$(x) config {"key": "pa55'word$(ID)", "n": 1}"#)
            #expect(lines.contains("user 65532 65532 cwd /bot"))
            for path in ["/bot/x", "/state/x", "/tmp/x"] { #expect(lines.contains("\(path) writable")) }
            for path in ["/x", "/the0/x", "/run/the0/code.json"] {
                #expect(lines.contains { $0.hasPrefix(path) && !$0.hasSuffix("writable") }, "\(path)")
            }
            #expect(lines.contains("token False"))
            // What a cluster gives every Pod without being asked.
            #expect(lines.contains { $0.hasPrefix("services") && !$0.contains("THE0") })
            try await stage.runner.remove(run)
            #expect(try await stage.pod(spec.id) == nil)
        }
    }

    @Test func f54NoPodAndNoEventHasAParameterOrALink() async throws {
        try await RunnerStage.with { stage in
            let spec = try stage.shell("secret", Self.sleeper, ["api": "pa55word"])
            try await stage.runner.start(spec, attempt: 0)
            try await stage.untilRunning("secret")
            let link = try await stage.links.link(for: spec.executable.custom, of: "secret").json
            for kind in ["pods", "events", "persistentvolumeclaims"] {
                let text = try await stage.cluster.kubectl("get", kind, "-n", stage.namespace, "-o", "json")
                #expect(!text.contains("pa55word") && !text.contains(String(link.dropFirst(10).prefix(20))))
            }
            let secret = try await stage.cluster.kubectl("get", "secrets", "-n", stage.namespace, "-o", "json")
            #expect(secret.contains(Data(#"{"api":"pa55word"}"#.utf8).base64EncodedString()))
        }
    }

    @Test func theContractIsKeptOnARealCluster() async throws {
        try await RunnerStage.with { stage in
            let other = try RunnerStage(stage.cluster, stage.namespace)
            try await other.running {
                @Sendable func spec(_ id: BotID, _ value: Int64) throws -> LaunchSpec {
                    let spec = try stage.shell(id, Self.sleeper, ["n": .integer(value)])
                    _ = try other.shell(id, Self.sleeper, ["n": .integer(value)])
                    return spec
                }
                @Sendable func settled(_ runner: K8sRunner) -> SettledRunner {
                    SettledRunner(runner: runner) {
                        try await eventually("the watch") {
                            let list = try await runner.view.pods.list(runner.ownership.selection(of: .live))
                            return Set(list.items.map(\.uid)) == Set(runner.view.cache.objects.map(\.uid))
                        }
                    }
                }
                let contract = RunnerContract(
                    runner: settled(stage.runner),
                    other: settled(other.runner),
                    longRunning: spec,
                    ending: nil,
                    scheduled: nil
                )
                try await contract.check()
            }
        }
    }

    @Test func f01AnEditMadeWhileNobodyRanIsSeenByTheNextRunner() async throws {
        try await RunnerStage.with { stage in
            try await stage.runner.start(try stage.shell("b", Self.sleeper, ["n": 1]), attempt: 0)
            try await stage.untilRunning("b")
            let next = try RunnerStage(stage.cluster, stage.namespace)
            try await next.running {
                let run = try await next.run("b")
                #expect(run.matches(try next.shell("b", Self.sleeper, ["n": 1])))
                let edited = try next.shell("b", Self.sleeper, ["n": 2])
                #expect(!run.matches(edited))
                try await next.runner.prepare(edited)
                try await next.runner.remove(run)
                try await next.runner.start(edited, attempt: 0)
                try await next.untilRunning("b")
                #expect(try await next.run("b").matches(edited))
                // One Secret, that of the Pod that is there.
                try await eventually(within: .seconds(60), "the collection") {
                    let secrets = try await next.runner.client.resources(Secret.self, in: next.namespace).list().items
                    let pod = try await next.pod("b")
                    return secrets.filter { $0.name.hasPrefix("bot-") }.map(\.name) == [pod?.secretName]
                }
            }
        }
    }

    @Test func f05ABotThatEndsIsTheKubeletsToStartAndItsStateIsShown() async throws {
        try await RunnerStage.with { stage in
            let spec = try stage.shell("crash", "echo out; exit 3\n")
            try await stage.runner.start(spec, attempt: 0)
            let run = try await eventuallyValue(within: .seconds(90), "the back-off") {
                let run = try await stage.run("crash")
                return run.note.contains("CrashLoopBackOff") ? run : nil
            }
            #expect(run.isRunning && run.note.contains("last exit code 3"))
            try await stage.runner.remove(run)
            #expect(try await stage.runner.runs(of: .live, id: "crash").isEmpty)
        }
    }

    @Test func aPodThatCantStartSaysWhatItWaitsFor() async throws {
        try await RunnerStage.with { stage in
            var settings = RunnerStage.settings()
            settings.runtimeImage = "no.such.registry.invalid/runtime:1"
            let other = try RunnerStage(stage.cluster, stage.namespace, settings: settings)
            try await other.running {
                try await other.runner.start(try other.shell("noimage", Self.sleeper), attempt: 0)
                try await eventually(within: .seconds(90), "the image's note") {
                    try await other.run("noimage").note.contains("unpacking the code waits: ")
                }
                let huge = try other.shell("huge", Self.sleeper, ["memory_request": "900Gi", "memory_limit": "900Gi"])
                try await other.runner.start(huge, attempt: 0)
                try await eventually(within: .seconds(60), "the node's note") {
                    try await other.run("huge").note.contains("waits for a node: Unschedulable")
                }
                for run in try await other.runner.runs(of: .live) { try await other.runner.remove(run) }
                #expect(try await other.runner.runs(of: .live).isEmpty)
            }
        }
    }

    @Test func f48IdsOfAnyTextRun() async throws {
        try await RunnerStage.with { stage in
            let ids = ["A_b", "ends-", String(repeating: "l", count: 300), "c-e\u{301}"].map { BotID($0) }
            for id in ids {
                let script = "echo \"$BOT_ID\"\n" + Self.sleeper
                try await stage.runner.start(try stage.shell(id, script), attempt: 0)
            }
            for id in ids {
                try await stage.untilRunning(id)
                try await eventually(within: .seconds(30), "its output") {
                    let run = try await stage.run(id)
                    return try await stage.runner.lastLines(of: run, limit: 1).first?.text == id.text
                }
            }
        }
    }

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

    @Test func stateStaysWithTheBotAndGoesWithIt() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "the0-pv-\(UInt32.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // A volume of a folder takes no group from the Pod.
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        let name = folder.lastPathComponent
        let settings = RunnerStage.settings(.volume(storageClass: name, size: Quantity(units: 1 << 20)))
        try await RunnerStage.with(settings: settings) { stage in
            let volume = """
                {"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"\(name)"},"spec":{"storageClassName":"\(name)",
                "capacity":{"storage":"1Mi"},"accessModes":["ReadWriteOnce"],"persistentVolumeReclaimPolicy":"Retain",
                "hostPath":{"path":"\(folder.path)"}}}
                """
            try await stage.cluster.kubectl("apply", "-f", "-", input: volume)
            let script = "echo run >>/state/runs; /bin/busybox cat /state/runs; echo end\n" + Self.sleeper
            for count in 1...2 {
                let spec = try stage.shell("s", script, ["n": .integer(Int64(count))])
                try await stage.runner.start(spec, attempt: 0)
                try await stage.untilRunning("s")
                let run = try await stage.run("s")
                try await eventually(within: .seconds(30), "its state") {
                    try await stage.runner.lastLines(of: run, limit: 9).map(\.text)
                        == Array(repeating: "run", count: count) + ["end"]
                }
                try await stage.runner.remove(run)
            }
            let claims = stage.runner.client.resources(VolumeClaim.self, in: stage.namespace)
            try await stage.runner.removeLeftovers(known: ["s"])
            #expect(try await claims.get("bot-state-s") != nil)
            try await stage.runner.removeLeftovers(known: ["other"])
            try await eventually(within: .seconds(30), "the claim's removal") {
                try await claims.get("bot-state-s") == nil
            }
            try await stage.cluster.kubectl("delete", "pv", name, "--wait=false")
        }
    }

    @Test func theSecretOfAPodThatDiedInBetweenIsMade() async throws {
        try await RunnerStage.with { stage in
            let spec = try stage.shell("half", Self.sleeper)
            let place = stage.runner.place
            let template = try PodTemplate(spec, settings: stage.runner.settings)
            // As if the process had died after the Pod was made.
            var pod = Pod(name: K8sNames.pod(spec.id))
            pod.labels = spec.labels(place.ownership)
            pod.annotations = spec.annotations(attempt: 0)
            pod.spec = template.podSpec(secret: K8sNames.secret(pod: pod.name), claim: nil)
            let made = try await stage.runner.view.pods.create(pod)
            let run = try await eventuallyValue { try await stage.runner.runs(of: .live, id: "half").first }
            #expect(run.phase == .created)
            try await stage.runner.start(spec, attempt: 0)
            try await stage.runner.remove(run)
            try await stage.untilRunning("half")
            #expect(try await stage.pod("half")?.uid == made.uid)
        }
    }

    @Test func aLinkIsRenewedInPlace() async throws {
        try await RunnerStage.with { stage in
            let spec = try stage.shell("link", Self.sleeper)
            try await stage.runner.start(spec, attempt: 0)
            try await stage.untilRunning("link")
            let name = try #require(try await stage.pod("link")?.secretName)
            let secrets = stage.runner.client.resources(Secret.self, in: stage.namespace)
            let before = try #require(try await secrets.get(name))
            guard case .object(let key) = spec.executable.custom.code else { return }
            stage.links.set("new", for: key)
            try await eventually { stage.runner.view.secrets.count == 1 }
            await stage.runner.renewal.renewDue(now: Timestamp.now.advanced(by: .seconds(2000)))
            let after = try #require(try await secrets.get(name))
            #expect(after["code.json"] != before["code.json"] && after["config"] == before["config"])
            #expect(after.owners == before.owners && after["entrypoint.sh"] == before["entrypoint.sh"])
            #expect(after.annotations[K8sAnnotation.linkExpiry] != before.annotations[K8sAnnotation.linkExpiry])
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
