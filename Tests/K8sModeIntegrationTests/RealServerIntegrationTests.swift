import HTTP
import Model
import TestSupport
import Testing
import Util

@testable import K8sMode

/// The client against a real API server.
@Suite struct RealServerIntegrationTests {
    @Test func theServerIsKnown() async throws {
        let capabilities = try await TestCluster().client().capabilities()
        #expect(capabilities.version.hasPrefix("v1.20.2"))
        #expect(capabilities.cronJobs == .cronJobsBeta)
        #expect(capabilities.timeZones == .unknown)
    }

    @Test func anotherAuthoritysServerIsNotTrusted() async throws {
        let connection = try TestCluster().client().connection
        let stranger = K8sClient(ClusterConnection(server: connection.server, token: "x"), logger: silent)
        let error = try await failure { try await stranger.capabilities() }
        #expect(error.code == .setting)
    }

    @Test func aWrongTokenIsUnauthorized() async throws {
        let connection = try TestCluster().client().connection
        let stranger = K8sClient(
            ClusterConnection(server: connection.server, tls: connection.tls, token: "wrong"),
            logger: silent
        )
        let error = try await failure { try await stranger.resources(Pod.self, in: "default").list() }
        #expect(error.code == .unauthorized)
    }

    @Test func listsComeInPages() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let maps = try cluster.client().resources(ConfigMap.self, in: namespace)
            for number in 0..<23 {
                var map = ConfigMap(name: "m\(number)")
                map.labels = ["odd": number % 2 == 1 ? "yes" : "no"]
                map.data = ["n": "\(number)"]
                _ = try await maps.create(map)
            }
            let all = try await maps.list(pageSize: 5)
            #expect(Set(all.items.map(\.name)).isSuperset(of: (0..<23).map { "m\($0)" }))
            #expect(Set(all.items.map(\.name)).count == all.items.count)
            let odd = try await maps.list(Selection(labels: "odd=yes"), pageSize: 2)
            #expect(odd.items.count == 11)
            #expect(odd.items.allSatisfy { $0.json["kind"] == "ConfigMap" && !$0.uid.isEmpty })
        }
    }

    @Test func aWatchTellsWhatHappens() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let secrets = try cluster.client().resources(Secret.self, in: namespace)
            let start = try await secrets.list(Selection(labels: "mine")).resourceVersion
            let events = try await secrets.watch(Selection(labels: "mine"), from: start, timeoutSeconds: 30)
            var secret = Secret(name: "s")
            secret.labels = ["mine": ""]
            secret["x"] = [0, 255]
            let made = try await secrets.create(secret)
            _ = try await secrets.create(Secret(name: "another"))
            var changed = made
            changed["y"] = Array("y".utf8)
            _ = try await secrets.replace(changed)
            #expect(try await secrets.delete("s", uid: made.uid))
            var told: [String] = []
            for try await event in events {
                switch event {
                case .added(let secret): told.append("+ \(secret.entries)")
                case .modified(let secret): told.append("~ \(secret.entries.sorted())")
                case .deleted(let secret): told.append("- \(secret.uid == made.uid)")
                case .bookmark: continue
                }
                if told.count == 3 { break }
            }
            #expect(told == [#"+ ["x"]"#, #"~ ["x", "y"]"#, "- true"])
        }
    }

    @Test func aMomentThatIsForgottenHasExpired() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let client = try cluster.client()
            let maps = client.resources(ConfigMap.self, in: namespace)
            for name in ["a", "b", "c"] { _ = try await maps.create(ConfigMap(name: name)) }
            var call = maps.call("list", method: .get)
            call.query = [("limit", "1")]
            let page = try #require(try await client.send(call).object)
            let next = try #require(page[["metadata", "continue"]]?.string)
            let moment = try #require(page[["metadata", "resourceVersion"]]?.string)
            _ = try await maps.create(ConfigMap(name: "later"))
            try await cluster.compact(after: moment)
            call.query.append(("continue", next))
            let error = try await failure { try await client.send(call) }
            #expect(error.code == .expired, "\(error)")
            #expect(try await maps.list(pageSize: 1).items.count >= 4)
        }
    }

    @Test func applyingKeepsTheFieldsOfOthers() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let maps = try cluster.client().resources(ConfigMap.self, in: namespace)
            var mine = ConfigMap(name: "m")
            mine.data = ["a": "1", "b": "2"]
            let first = try await maps.apply(mine, fieldManager: "the0")
            try await cluster.kubectl("patch", "configmap", "m", "-n", namespace, "-p", #"{"data":{"c":"3"}}"#)
            mine.data = ["a": "9"]
            let second = try await maps.apply(mine, fieldManager: "the0")
            #expect(second.data == ["a": "9", "c": "3"])
            #expect(second.uid == first.uid)
            // A field that is somebody else's now.
            var theirs = ConfigMap(name: "m")
            theirs.data = ["a": "other"]
            let conflict = try await failure { try await maps.apply(theirs, fieldManager: "other") }
            #expect(conflict.code == .conflict)
            #expect(conflict.message.contains("the0") && conflict.message.contains(".data.a"))
            #expect(try await maps.apply(theirs, fieldManager: "other", force: true).data["a"] == "other")
            // Nothing comes of it when it only was asked what would.
            theirs.data = ["a": "dry"]
            #expect(try await maps.apply(theirs, fieldManager: "other", dryRun: true).data["a"] == "dry")
            #expect(try await maps.get("m")?.data["a"] == "other")
        }
    }

    @Test func anotherObjectOfTheNameIsNotDeleted() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let maps = try cluster.client().resources(ConfigMap.self, in: namespace)
            let first = try await maps.create(ConfigMap(name: "m"))
            let taken = try await failure { try await maps.create(ConfigMap(name: "m")) }
            #expect(taken.code == .alreadyExists)
            #expect(try await maps.delete("m"))
            let second = try await maps.create(ConfigMap(name: "m"))
            let refused = try await failure { try await maps.delete("m", uid: first.uid) }
            #expect(refused.code == .conflict)
            #expect(try await maps.get("m")?.uid == second.uid)
            // Nor overwritten.
            var stale = first
            stale.data = ["x": "y"]
            let conflict = try await failure { try await maps.replace(stale) }
            #expect(conflict.code == .conflict)
            #expect(try await maps.delete("m", uid: second.uid, propagation: .background))
            #expect(try await !maps.delete("m"))
        }
    }

    @Test func aRoleThatIsMissingIsNamed() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let poor = try cluster.client(context: "poor")
            let error = try await failure { try await poor.resources(Pod.self, in: namespace).list() }
            #expect(error.code == .forbidden)
            #expect(
                error.message.hasSuffix(
                    "missing right: verb list on resource pods of API group \"\" in namespace \(namespace)"
                )
            )
            let lease = try await failure {
                try await poor.resources(Lease.self, in: namespace).create(Lease(name: "l"))
            }
            #expect(lease.message.contains("verb create on resource leases of API group coordination.k8s.io"))
            try await cluster.kubectl("create", "role", "r", "-n", namespace, "--verb=list", "--resource=pods")
            try await cluster.kubectl("create", "rolebinding", "r", "-n", namespace, "--role=r", "--user=poor")
            try await eventually(within: .seconds(60), "the role") {
                try await poor.resources(Pod.self, in: namespace).list().items.isEmpty
            }
        }
    }

    @Test func whatBreaksTheRulesNamesTheField() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let pods = try cluster.client().resources(Pod.self, in: namespace)
            let name = try await failure { try await pods.create(Pod(name: "A_b")) }
            #expect(name.code == .invalid)
            #expect(name.message.contains("metadata.name"))
            var label = Pod(name: "a")
            label.labels = ["x": "not valid"]
            #expect(try await failure { try await pods.create(label) }.message.contains("metadata.labels"))
        }
    }

    @Test(arguments: [
        "A_b", "日本語", "-", String(repeating: "a", count: 300), "a.b_C",
    ]) func f48AnyIdIsTakenByTheServer(_ id: String) async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let maps = try cluster.client().resources(ConfigMap.self, in: namespace)
            var map = ConfigMap(name: SafeName.objectName(BotID(id), prefix: "the0-bot").text)
            map.labels = ["the0.dev/bot-id": SafeName.labelValue(BotID(id)).text]
            map.annotations = ["the0.dev/bot-id": id]
            let made = try await maps.create(map)
            #expect(made.annotations["the0.dev/bot-id"] == id)
            let label = "the0.dev/bot-id=\(SafeName.labelValue(BotID(id)).text)"
            #expect(try await maps.list(Selection(labels: label)).items.map(\.name) == [map.name])
        }
    }

    @Test func leasesAndEventsAreTaken() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let client = try cluster.client()
            let now = Timestamp(nanosecondsSince1970: 1_800_000_000_012_345_678)
            var lease = Lease(name: "the0")
            lease.holder = "me"
            lease.durationSeconds = 15
            lease.acquired = now
            lease.renewed = now
            let made = try await client.resources(Lease.self, in: namespace).create(lease)
            #expect(made.holder == "me" && made.durationSeconds == 15)
            #expect(made.renewed == Timestamp(nanosecondsSince1970: 1_800_000_000_012_345_000))
            let event = Event(
                name: "e",
                about: made,
                type: "Warning",
                reason: "Tested",
                message: String(repeating: "ü", count: 2000),
                component: "the0",
                time: now
            )
            let told = try await client.resources(Event.self, in: namespace).create(event)
            #expect(told.about == "the0" && told.reason == "Tested")
            #expect(told.message.utf8.count == 1024)
        }
    }
}
