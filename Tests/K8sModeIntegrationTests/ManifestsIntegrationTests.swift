import Foundation
import TestSupport
import Testing

@testable import K8sMode

/// deploy/kubernetes, on a real API server and against the schemas of newer ones.
@Suite struct ManifestsIntegrationTests {
    private static let kinds = [
        "Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Deployment",
        "PodDisruptionBudget", "NetworkPolicy",
    ]

    @Test func aRealServerTakesThem() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let manifests = try await Manifests(namespace: namespace)
            for kind in Self.kinds { #expect(!manifests.objects(kind).isEmpty, "\(kind)") }
            #expect(manifests.objects("Secret").isEmpty)
            let said = try await cluster.kubectl("apply", "--dry-run=server", "-f", "-", input: manifests.forOldServers)
            let lines = said.split(separator: "\n")
            #expect(
                lines.count == manifests.objects.count && lines.allSatisfy { $0.contains("server dry run") },
                "\(said)"
            )
            let template = try String(contentsOfFile: "\(Manifests.base)/secret.template.yaml", encoding: .utf8)
            let secret = template.replacingOccurrences(of: "namespace: the0\n", with: "namespace: \(namespace)\n")
            let made = try await cluster.kubectl("apply", "--dry-run=server", "-f", "-", input: secret)
            #expect(made.contains("secret/the0-controller created"))
        }
    }

    @Test(arguments: ["1.35", "1.36", "1.37"]) func newerServersHaveTheseFields(_ version: String) async throws {
        let folder = try TemporaryFolder()
        let manifests = try await Manifests(namespace: "the0")
        let template = try String(contentsOfFile: "\(Manifests.base)/secret.template.yaml", encoding: .utf8)
        let validate = try ServicePrograms.path("kubernetes-validate")
        for (number, object) in (manifests.objects + [template]).enumerated() {
            let path = try folder.write("\(number).yaml", object)
            let result = try await runCommand([validate, "--strict", "-k", version, path])
            #expect(result.isSuccess, "\(result.text)\(result.errorText)")
        }
        // What it wouldn't find would be worth nothing.
        let wrong = try folder.write(
            "wrong.yaml",
            manifests.objects("Deployment").replacingOccurrences(of: "replicas: 2", with: "replica: 2")
        )
        #expect(try await !runCommand([validate, "--strict", "-k", version, wrong]).isSuccess)
    }

    @Test func theControllersRoleAllowsWhatItDoesAndNoMore() async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let manifests = try await Manifests(namespace: namespace)
            let roles = manifests.objects("ServiceAccount", "Role", "RoleBinding")
            try await cluster.kubectl("apply", "-f", "-", input: roles)
            func may(_ verb: String, _ resource: String, as account: String = "the0-controller") async throws -> Bool {
                let user = "--as=system:serviceaccount:\(namespace):\(account)"
                let command = [
                    "kubectl", "--kubeconfig", "\(cluster.folder)/kubeconfig", "auth", "can-i", verb,
                ]
                // "pods/x" would be the Pod named x.
                let words = resource.split(separator: " ").map(String.init)
                let result = try await runCommand(command + words + ["-n", namespace, user])
                return result.text.hasPrefix("yes")
            }
            try await eventually(within: .seconds(30), "the role") { try await may("create", "pods") }
            for (verb, resource) in [
                ("delete", "pods"), ("watch", "pods"), ("get", "pods --subresource=log"), ("list", "secrets"),
                ("patch", "secrets"),
                ("create", "leases"), ("update", "leases/the0-controller"), ("create", "persistentvolumeclaims"),
                ("patch", "events"),
            ] {
                #expect(try await may(verb, resource), "\(verb) \(resource)")
                #expect(try await !may(verb, resource, as: "the0-bot"), "\(verb) \(resource)")
            }
            for (verb, resource) in [
                ("get", "secrets"), ("update", "secrets"), ("create", "pods --subresource=exec"), ("update", "pods"),
                ("patch", "pods"),
                ("update", "leases/another"), ("list", "leases"), ("create", "roles"), ("get", "configmaps"),
                ("create", "serviceaccounts --subresource=token"), ("deletecollection", "pods"),
                ("delete", "namespaces"),
            ] {
                #expect(try await !may(verb, resource), "\(verb) \(resource)")
            }
        }
    }
}
