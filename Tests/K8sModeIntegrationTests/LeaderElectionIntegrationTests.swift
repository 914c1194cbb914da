import Foundation
import HTTP
import Logging
import Synchronization
import TestSupport
import Testing

@testable import K8sMode

/// Two contenders on a real API server, with the rights of deploy/kubernetes and no others.
@Suite(.timeLimit(.minutes(5))) struct LeaderElectionIntegrationTests {
    /// Who is at work: never two.
    private final class Workplace: Sendable {
        private let state = Mutex((at: Set<String>(), most: 0, terms: [String]()))
        var at: Set<String> { state.withLock { $0.at } }
        var most: Int { state.withLock { $0.most } }
        var terms: [String] { state.withLock { $0.terms } }

        func work(_ who: String) async {
            state.withLock { state in
                state.at.insert(who)
                state.most = max(state.most, state.at.count)
                state.terms.append(who)
            }
            let (stream, _) = AsyncStream<Void>.makeStream()
            for await _ in stream {}
            state.withLock { _ = $0.at.remove(who) }
        }
    }

    private func controller(_ cluster: TestCluster, _ namespace: String) async throws -> K8sClient {
        let manifests = try await Manifests(namespace: namespace)
        try await cluster.kubectl("apply", "-f", "-", input: manifests.objects("ServiceAccount", "Role", "RoleBinding"))
        let token = try await cluster.kubectl("create", "token", "the0-controller", "-n", namespace)
        let admin = try cluster.client().connection
        let connection = ClusterConnection(
            server: admin.server,
            tls: admin.tls,
            token: String(token.prefix { !$0.isNewline })
        )
        let client = K8sClient(connection, logger: silent)
        try await eventually(within: .seconds(30), "the role") {
            _ = try await client.resources(Lease.self, in: namespace).get("the0-controller")
            return true
        }
        return client
    }

    private func contender(_ identity: String, _ client: K8sClient, _ namespace: String) throws
        -> LeaderElection<ContinuousClock>
    {
        LeaderElection(
            leases: client.resources(Lease.self, in: namespace),
            name: "the0-controller",
            identity: identity,
            timing: try LeaseTiming(duration: .seconds(5), renewDeadline: .seconds(3), retryPeriod: .milliseconds(500)),
            logger: silent
        )
    }

    @Test func oneLeadsAndAnotherFollowsWhenItEnds() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let client = try await controller(cluster, namespace)
            let place = Workplace()
            let a = try contender("a", client, namespace)
            let b = try contender("b", client, namespace)
            let first = Task { try await a.lead(overdue: {}) { await place.work("a") } }
            try await eventually("a leads") { place.at == ["a"] }
            let seen = Mutex("")
            let second = Task {
                try await b.lead(standsBy: { leader in seen.withLock { $0 = leader } }, overdue: {}) {
                    await place.work("b")
                }
            }
            try await eventually("b stands by") { seen.withLock { $0 } == "a" }
            // Longer than a Lease lasts.
            try await Task.sleep(for: .seconds(7))
            #expect(place.at == ["a"])
            let began = ContinuousClock.now
            first.cancel()
            let endFirst = try await first.value
            #expect(endFirst == .finished)
            try await eventually("b leads") { place.at == ["b"] }
            // It was given back: the Lease needn't run out.
            #expect(began.duration(to: .now) < .seconds(5))
            #expect(place.most == 1 && place.terms == ["a", "b"])
            second.cancel()
            let endSecond = try await second.value
            #expect(endSecond == .finished)
            let lease = try #require(try await client.resources(Lease.self, in: namespace).get("the0-controller"))
            #expect(lease.holder == nil && lease.transitions == 1)
        }
    }

    @Test func aLeaderThatIsCutOffStopsBeforeTheOtherBegins() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let client = try await controller(cluster, namespace)
            let place = Workplace()
            // Its own way to the server, which can be cut.
            let cut = K8sClient(client.connection, logger: silent)
            let a = try contender("a", cut, namespace)
            let b = try contender("b", client, namespace)
            let first = Task { try await a.lead(overdue: {}) { await place.work("a") } }
            try await eventually("a leads") { place.at == ["a"] }
            let second = Task { try await b.lead(overdue: {}) { await place.work("b") } }
            cut.http.shutdown()
            guard case .lost = try await first.value else { throw FixtureError("not lost") }
            #expect(place.at == [])
            try await eventually("b leads") { place.at == ["b"] }
            #expect(place.most == 1 && place.terms == ["a", "b"])
            second.cancel()
            _ = try await second.value
        }
    }
}
