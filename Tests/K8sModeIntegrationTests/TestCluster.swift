import Foundation
import Logging
import Model
import TestSupport

@testable import K8sMode

/// The real cluster that `scripts/cluster ensure` has started; its folder is what `THE0_CLUSTER` names, else /tmp/the0-cluster.
struct TestCluster: Sendable {
    let folder: String

    init() throws {
        folder = ProcessInfo.processInfo.environment["THE0_CLUSTER"] ?? "/tmp/the0-cluster"
        guard FileManager.default.fileExists(atPath: "\(folder)/kubeconfig") else {
            throw FixtureError("there is no cluster in \(folder): run eval \"$(scripts/cluster ensure)\"")
        }
    }

    /// A client with all rights, or as somebody who was given none.
    func client(context: String = "admin") throws -> K8sClient {
        let connection = try ClusterConnection.find(
            kubeconfig: "\(folder)/kubeconfig",
            context: context,
            environment: [:]
        )
        return K8sClient(connection, logger: silent)
    }

    /// A second opinion beside the client that is tested.
    @discardableResult
    func kubectl(_ arguments: String..., input: String = "") async throws -> String {
        try await requireCommand(
            ["kubectl", "--kubeconfig", "\(folder)/kubeconfig"] + arguments,
            input: Data(input.utf8)
        )
    }

    /// Has etcd forget everything up to after a moment, as it does by itself every five minutes.
    func compact(after version: String) async throws {
        let ports = try String(contentsOfFile: "\(folder)/ports", encoding: .utf8)
        guard let revision = Int(version),
            let port = ports.split(separator: " ").first?.drop(while: { $0 != "=" }).dropFirst()
        else { throw FixtureError("no port of etcd in \(folder)/ports") }
        let url = "http://127.0.0.1:\(port)/v3/kv/compaction"
        try await requireCommand(["curl", "-fsS", "-d", #"{"revision":"\#(revision + 1)","physical":true}"#, url])
    }

    /// A new namespace for a test, deleted after it.
    func withNamespace(_ body: (String) async throws -> Void) async throws {
        let name = "the0-test-\(UInt32.random(in: 0 ... .max))"
        try await kubectl("create", "namespace", name)
        do { try await body(name) } catch {
            try await kubectl("delete", "namespace", name, "--wait=false")
            throw error
        }
        try await kubectl("delete", "namespace", name, "--wait=false")
    }
}

/// The error of something that has to fail.
func failure<Value>(_ body: () async throws -> Value) async throws -> K8sError {
    do { _ = try await body() } catch let error as K8sError { return error }
    throw FixtureError("expected an error")
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
