import Logging
import Testing
import Util

@testable import K8sMode

let quiet = Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() }

extension Backoff {
    /// A millisecond between attempts.
    static func instant() throws -> Backoff {
        try Backoff(initial: .milliseconds(1), maximum: .milliseconds(1), jitter: 0)
    }
}

/// Runs a test against a fake server and a client of it.
func withFake(
    token: String? = nil,
    _ handler: @escaping @Sendable (FakeRequest, Int) -> FakeAnswer,
    _ body: (FakeAPIServer, K8sClient) async throws -> Void
) async throws {
    let server = try FakeAPIServer(handler)
    defer { server.stop() }
    let connection = ClusterConnection(server: server.url, token: token)
    let client = K8sClient(
        connection,
        credentials: Credentials(connection),
        backoff: try .instant(),
        logger: quiet
    )
    try await body(server, client)
}

/// The error of something that has to fail.
func failure<Value>(_ body: () async throws -> Value) async -> K8sError? {
    do {
        _ = try await body()
        Issue.record("expected an error")
        return nil
    } catch {
        return error as? K8sError
    }
}

/// A Pod as a server writes it.
func pod(_ name: String, version: Int, uid: String? = nil, extra: String = "") -> String {
    #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"\#(name)","namespace":"the0","uid":"\#(uid ?? "u-\(name)")","resourceVersion":"\#(version)"\#(extra)}}"#
}

func event(_ type: String, _ object: String) -> String {
    #"{"type":"\#(type)","object":\#(object)}"# + "\n"
}

func podList(_ pods: [String], version: Int, next: String = "") -> String {
    #"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"\#(version)","continue":"\#(next)"},"items":[\#(pods.joined(separator: ","))]}"#
}
