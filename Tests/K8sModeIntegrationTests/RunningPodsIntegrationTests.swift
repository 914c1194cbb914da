import Foundation
import Model
import TestSupport
import Testing

@testable import K8sMode

/// Pods that really run, and the cache that sees them.
@Suite struct RunningPodsIntegrationTests {
    private func spec(_ script: String) -> JSONObject {
        [
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
            "containers": [
                [
                    "name": "bot", "image": "the0-pause:local", "imagePullPolicy": "IfNotPresent",
                    "command": ["/bin/busybox", "sh", "-c", .string(script)],
                ]
            ],
        ]
    }

    @Test func aPodRunsIsSeenAndItsLogIsFollowed() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let pods = try cluster.client().resources(Pod.self, in: namespace)
            let cache = WatchCache(pods, logger: silent)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await cache.run() }
                defer { group.cancelAll() }
                try await cache.waitUntilSynced()
                #expect(cache.count == 0)
                var pod = Pod(name: "p")
                pod.spec = spec("for i in 1 2 3; do echo line $i; /bin/sleep 0.2; done; exit 7")
                _ = try await pods.create(pod)
                let key = ObjectKey(namespace: namespace, name: "p")
                try await eventually(within: .seconds(60), "the container") {
                    switch cache.object(key)?.containers.first?.state {
                    case .running, .terminated: true
                    default: false
                    }
                }
                var text = ""
                let query = PodLogQuery(container: "bot", follow: true)
                for try await piece in try await pods.log(of: "p", query) {
                    text += String(decoding: piece, as: UTF8.self)
                }
                let lines = text.split(separator: "\n").map { $0.drop { $0 != " " }.dropFirst() }
                #expect(lines == ["line 1", "line 2", "line 3"])
                try await eventually(within: .seconds(30), "the end") { cache.object(key)?.phase == .failed }
                guard case .terminated(let end) = cache.object(key)?.containers.first?.state else {
                    throw FixtureError("not terminated")
                }
                #expect(end.exitCode == 7 && end.reason == "Error" && end.finished != nil)
                try await pods.delete("p", gracePeriodSeconds: 0)
                try await eventually(within: .seconds(30), "its removal") { cache.count == 0 }
            }
        }
    }

    @Test func aRealJobsObjectsReadAsTheyAre() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let client = try cluster.client()
            let capabilities = try await client.capabilities()
            let cronJobs = client.resources(CronJob.self, in: namespace, at: capabilities.cronJobs)
            let jobs = client.resources(Job.self, in: namespace)
            let template: JSONValue = ["spec": .object(spec("exit 0"))]
            var cron = CronJob(name: "c")
            cron.schedule = "0 0 1 1 *"
            cron.concurrency = .forbid
            cron.isSuspended = true
            cron.json[["spec", "jobTemplate"]] = ["spec": ["template": template]]
            let made = try await cronJobs.apply(cron, fieldManager: "the0")
            #expect(made.schedule == "0 0 1 1 *" && made.concurrency == .forbid && made.isSuspended)
            #expect(made.json["apiVersion"] == "batch/v1beta1")
            var job = Job(name: "j")
            job.owners = [
                OwnerReference(
                    apiVersion: "batch/v1beta1",
                    kind: "CronJob",
                    name: "c",
                    uid: made.uid,
                    isController: true
                )
            ]
            job.spec = ["template": template, "backoffLimit": 0]
            _ = try await jobs.create(job)
            try await eventually(within: .seconds(60), "the job's end") { try await jobs.get("j")?.isComplete ?? false }
            let done = try #require(try await jobs.get("j"))
            #expect(done.succeeded == 1 && done.completed != nil && done.failure == nil)
            #expect(done.owners.first?.uid == made.uid)
            // What belongs to it goes with it.
            try await cronJobs.delete("c", uid: made.uid, propagation: .background)
            try await eventually(within: .seconds(60), "the collection") { try await jobs.get("j") == nil }
        }
    }
}
