import Model
import TestSupport
import Testing

@testable import K8sMode

/// What a server, or whatever answers in its place, may send, and what a kubeconfig may hold: a value or an error.
@Suite struct FuzzTests {
    private func isShowable(_ error: K8sError) -> Bool {
        error.message.utf8.count < 8000
            && !error.message.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }

    @Test func kubeconfigsAreReadOrRefused() throws {
        let original = """
            apiVersion: v1
            current-context: "main"
            clusters:
            - name: c
              cluster: {server: "https://api:6443/", certificate-authority-data: Q0E=, insecure-skip-tls-verify: false}
            users:
            - {name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: x, args: [a, b], env: [{name: A, value: b}], provideClusterInfo: true}}}
            - name: t
              user: {token: abc, username: u, password: p}
            contexts:
            - {name: main, context: {cluster: c, user: u, namespace: n}}
            - {name: other, context: {cluster: c, user: t}}
            """
        let words = [
            "&a", "*a", "- ", ": ", "{", "}", "[", "]", "|", ">", "? ", "!!binary", "!!float", "~", "null", "---", "\t",
        ]
        var mutator = Mutator([Array(original.utf8)], words: words, seed: 47)
        var connections = 0
        for _ in 0..<2000 {
            let bytes = mutator.next()
            do {
                var config = Kubeconfig(files: "x")
                try config.merge(bytes, path: "/nowhere/x")
                let found = try config.connection(context: mutator.number(0...1) == 0 ? "other" : nil)
                connections += 1
                #expect(found.server.lowercased().hasPrefix("http"))
            } catch {
                #expect(error.code == .setting)
                #expect(isShowable(error), "\(error)")
            }
        }
        #expect(connections > 50)
    }

    @Test func objectsAreViewedWhateverTheyHold() throws {
        let original =
            #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"b","uid":"c","labels":{"x":"y"},"ownerReferences":[{"uid":"u","controller":true}],"creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"nodeName":"n","schedule":"* * * * *"},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}],"containerStatuses":[{"name":"bot","restartCount":3,"state":{"terminated":{"exitCode":137,"finishedAt":"2026-01-01T00:00:00Z"}},"lastState":{"terminated":{"exitCode":1}}}],"active":[{"name":"j"}]},"data":{"x":"Z2VoZWlt"}}"#
        var mutator = Mutator(
            [Array(original.utf8)],
            words: ["{}", "[]", "null", "7", "\"\"", "-9223372036854775808"],
            seed: 48
        )
        var views = 0
        for _ in 0..<3000 {
            guard let json = (try? JSONValue.parse(mutator.next()))?.object else { continue }
            views += 1
            let pod = Pod(json: json)
            _ = (pod.phase, pod.isReady, pod.containers, pod.owners, pod.created, pod.labels, pod.key, pod.reason)
            let cron = CronJob(json: json)
            _ = (cron.schedule, cron.active, cron.lastScheduled, cron.concurrency, Job(json: json).isFinished)
            #expect(!"\(Secret(json: json))".contains("Z2Vo"))
            // Writing one field changes no other.
            var edited = pod
            edited.annotations["the0"] = "x"
            edited.annotations = [:]
            edited.json[["metadata", "annotations"]] = pod.json[["metadata", "annotations"]]
            #expect(edited.json["spec"] == pod.json["spec"] && edited.json["status"] == pod.json["status"])
        }
        #expect(views > 100)
    }

    @Test func refusalsAreShowable() {
        var mutator = Mutator(
            [
                Array(
                    #"{"kind":"Status","code":409,"reason":"Conflict","message":"no","details":{"retryAfterSeconds":1,"causes":[{"field":"a","message":"b"}]}}"#
                        .utf8
                )
            ],
            seed: 49
        )
        var refusals = 0
        for _ in 0..<3000 {
            guard let value = try? JSONValue.parse(mutator.next()), let status = K8sStatus(value) else { continue }
            refusals += 1
            #expect(isShowable(K8sError(K8sCall(path: "/x"), status)))
        }
        #expect(refusals > 100)
    }
}
