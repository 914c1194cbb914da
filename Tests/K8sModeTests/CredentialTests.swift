import FoundationEssentials
import HTTP
import Synchronization
import TestSupport
import Testing
import Util

@testable import K8sMode

/// Credentials that change while they are used.
@Suite struct CredentialTests {
    private func client(_ connection: ClusterConnection, maximumAge: Duration = .seconds(3600)) throws -> K8sClient {
        K8sClient(
            connection,
            credentials: Credentials(connection, maximumAge: maximumAge),
            backoff: try .instant(),
            logger: quiet
        )
    }

    private func connection(_ server: FakeAPIServer, _ credential: Credential) -> ClusterConnection {
        ClusterConnection(server: server.url, namespace: "x", origin: "test", tls: TLSOptions(), credential: credential)
    }

    /// A connection whose user has a credential program.
    private func connection(
        _ server: FakeAPIServer,
        program: String,
        _ folder: TemporaryFolder,
        fields: String = ""
    ) throws -> ClusterConnection {
        try folder.write("bin/program", "#!/bin/sh\n" + program, executable: true)
        let path = try folder.write(
            "config",
            """
            current-context: x
            clusters: [{name: x, cluster: {server: "\(server.url)", extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]}}]
            contexts: [{name: x, context: {cluster: x, user: x}}]
            users:
            - name: x
              user:
                exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/program, args: ["one two", "\(folder.path)"], env: [{name: EXTRA, value: yes}]\(fields)}
            """
        )
        return try ClusterConnection.find(kubeconfig: path, environment: [:])
    }

    private static func issued(_ status: String) -> String {
        #"echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"# + status + "}}'\n"
    }

    /// Takes only one token.
    private func server(_ token: String) throws -> FakeAPIServer {
        try FakeAPIServer { request, _ in
            request.headers["authorization"] == "Bearer \(token)"
                ? .ok(pod("a", version: 1)) : .status(401, "Unauthorized")
        }
    }

    @Test func aRotatedTokenFileIsReadAnewWhenTheServerRefuses() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("token", "old\n")
        let server = try FakeAPIServer { request, number in
            let wanted = number == 1 ? "Bearer old" : "Bearer new"
            return request.headers["authorization"] == wanted ? .ok(pod("a", version: 1)) : .status(401, "Unauthorized")
        }
        defer { server.stop() }
        let pods = try client(connection(server, .tokenFile(path))).resources(Pod.self, in: "x")
        _ = try await pods.get("a")
        try folder.write("token", "new\n")
        _ = try await pods.get("a")
        #expect(
            server.requests.map { $0.headers["authorization"] } == ["Bearer old", "Bearer old", "Bearer new"]
        )
    }

    @Test func aRotatedTokenFileIsReadAnewAfterAWhile() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("token", "old")
        let server = try FakeAPIServer { _, _ in .ok(pod("a", version: 1)) }
        defer { server.stop() }
        let pods = try client(connection(server, .tokenFile(path)), maximumAge: .zero).resources(Pod.self, in: "x")
        _ = try await pods.get("a")
        try folder.write("token", "new")
        _ = try await pods.get("a")
        #expect(server.requests.map { $0.headers["authorization"] } == ["Bearer old", "Bearer new"])
    }

    @Test func aRefusedTokenIsTriedTwiceAtMost() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("token", "geheim")
        let server = try server("other")
        defer { server.stop() }
        let fromFile = try client(connection(server, .tokenFile(path))).resources(Pod.self, in: "x")
        let error = await failure { try await fromFile.get("a") }
        #expect(error?.code == .unauthorized)
        #expect(error?.message.contains("geheim") == false)
        #expect(server.requests.count == 2)
        let fixed = try client(connection(server, .token("geheim"))).resources(Pod.self, in: "x")
        #expect(await failure { try await fixed.get("a") }?.code == .unauthorized)
        #expect(server.requests.count == 3)
    }

    @Test(arguments: ["", " \n", "a\u{7}b"]) func aTokenFileWithoutATokenIsAnError(_ text: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("token", text)
        let server = try server("x")
        defer { server.stop() }
        let pods = try client(connection(server, .tokenFile(path))).resources(Pod.self, in: "x")
        #expect(await failure { try await pods.get("a") }?.code == .credential)
        let missing = try client(connection(server, .tokenFile(folder.file("none")))).resources(Pod.self, in: "x")
        let error = await failure { try await missing.get("a") }
        #expect(error?.code == .credential)
        #expect(error?.message.contains("/none") == true)
        #expect(server.requests.isEmpty)
    }

    @Test func aPasswordIsSentAsBasic() async throws {
        let server = try FakeAPIServer { _, _ in .ok(pod("a", version: 1)) }
        defer { server.stop() }
        let pods = try client(connection(server, .password(user: "u", password: "p"))).resources(Pod.self, in: "x")
        _ = try await pods.get("a")
        #expect(server.requests.last?.headers["authorization"] == "Basic dTpw")
    }

    @Test func aProgramRunsOnceForAll() async throws {
        let folder = try TemporaryFolder()
        let server = try server("t")
        defer { server.stop() }
        let program =
            #"echo run >>"$2/runs"; printf '%s|%s|%s' "$1" "$EXTRA" "$KUBERNETES_EXEC_INFO" >"$2/told";"#
            + Self.issued(#""token":"t""#)
        let pods = try client(connection(server, program: program, folder, fields: ", provideClusterInfo: true"))
            .resources(Pod.self, in: "x")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await pods.get("a") } }
            try await group.waitForAll()
        }
        #expect(try String(contentsOfFile: folder.file("runs"), encoding: .utf8) == "run\n")
        let told = try String(contentsOfFile: folder.file("told"), encoding: .utf8)
        #expect(told.hasPrefix("one two|yes|{"))
        #expect(told.contains(#""server":"\#(server.url)""#) && told.contains(#""config":{"a":1}"#))
        #expect(told.contains(#""interactive":false"#))
    }

    @Test func aProgramRunsAgainWhenItsCredentialEnds() async throws {
        let folder = try TemporaryFolder()
        let server = try FakeAPIServer { _, _ in .ok(pod("a", version: 1)) }
        defer { server.stop() }
        let program =
            #"echo run >>"$2/runs"; n=$(wc -l <"$2/runs"); if [ "$n" = 1 ]; then t=2026-01-01T00:01:00Z; else t=2027-01-01T00:00:00Z; fi;"#
            + #"echo "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t$n\",\"expirationTimestamp\":\"$t\"}}""#
        let connection = try connection(server, program: program, folder)
        let clock = TestTime(try RFC3339.parse("2026-01-01T00:00:00Z"))
        let credentials = Credentials(connection, now: { clock.now })
        #expect(try await credentials.current().authorization == "Bearer t1")
        #expect(try await credentials.current().authorization == "Bearer t1")
        // Ten seconds before its end it isn't used any more.
        clock.now = try RFC3339.parse("2026-01-01T00:00:51Z")
        #expect(try await credentials.current().authorization == "Bearer t2")
        // Nor one that the server has refused.
        #expect(await credentials.refused(Credentials.Identity(authorization: "Bearer t2", tls: connection.tls)))
        #expect(try await credentials.current().authorization == "Bearer t3")
        // Another request's refusal of what is long replaced changes nothing.
        #expect(await credentials.refused(Credentials.Identity(authorization: "Bearer t2", tls: connection.tls)))
        #expect(try await credentials.current().authorization == "Bearer t3")
    }

    @Test(arguments: [
        ("exit 3", "ended with"), ("echo geheim", "no JSON object"), ("echo '{}'", "no ExecCredential"),
        (CredentialTests.issued(""), "neither token nor certificate"),
        (CredentialTests.issued(#""token":"gehe im""#), "space"),
        (CredentialTests.issued(#""clientCertificateData":"geheim""#), "without its key"),
        (CredentialTests.issued(#""token":"geheim","expirationTimestamp":"tomorrow""#), "no time"),
        (CredentialTests.issued(#""token":"geheim","expirationTimestamp":"2001-01-01T00:00:00Z""#), "ended at 2001"),
        ("yes geheim | head -c 2000000", ""),
    ])
    func programsThatFailSayWhichAndNotWhat(_ program: String, problem: String) async throws {
        let folder = try TemporaryFolder()
        let server = try server("t")
        defer { server.stop() }
        let pods = try client(connection(server, program: program, folder)).resources(Pod.self, in: "x")
        let error = await failure { try await pods.get("a") }
        #expect(error?.code == .credential, "\(String(describing: error))")
        #expect(error?.message.contains("bin/program") == true && error?.message.contains(problem) == true)
        #expect(error?.message.contains("gehe") == false)
        #expect(server.requests.isEmpty)
    }

    @Test func aProgramThatIsNotThereSaysHowToGetIt() async throws {
        let folder = try TemporaryFolder()
        let server = try server("t")
        defer { server.stop() }
        let connection = try connection(server, program: "", folder, fields: ", installHint: \"get it at x\"")
        folder.remove()
        let pods = try client(connection).resources(Pod.self, in: "x")
        let error = await failure { try await pods.get("a") }
        #expect(error?.code == .credential)
        #expect(error?.message.contains("get it at x") == true)
    }

    @Test(arguments: [
        "command: x", "apiVersion: client.authentication.k8s.io/v1alpha1, command: x",
        "apiVersion: client.authentication.k8s.io/v1",
        "apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always",
        "apiVersion: client.authentication.k8s.io/v1, command: x, args: [[a]]",
        "apiVersion: client.authentication.k8s.io/v1, command: x, env: [a]",
    ])
    func programsThatCannotBeRunAreRefused(_ exec: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "config",
            """
            current-context: x
            clusters: [{name: x, cluster: {server: "https://x"}}]
            contexts: [{name: x, context: {cluster: x, user: x}}]
            users: [{name: x, user: {exec: {\(exec)}}}]
            """
        )
        #expect(throws: K8sError.self) { try ClusterConnection.find(kubeconfig: path, environment: [:]) }
    }
}

/// A clock that a test sets.
final class TestTime: Sendable {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp) {
        self.time = Mutex(time)
    }

    var now: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}
