import DockerMode
import HTTP
import Logging
import Model
import Runtime
import Testing

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The engine over TCP with TLS and certificates on both sides, as `DOCKER_HOST=tcp://…` reaches it on another machine.
///
/// A proxy of the test's own ends the TLS before the local engine. That the engine shares no files with us is shown by the
/// start itself: code and scripts only ever travel over the connection.
@Suite struct RemoteIntegrationTests {
    @Test func botsRunOnAnEngineBehindTLSAndNobodyGetsInWithoutACertificate() async throws {
        let proxy = try await TLSProxy()
        defer { proxy.stop() }
        let environment = [
            "DOCKER_HOST": "tcp://localhost:\(proxy.port)", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": proxy.folder,
        ]
        let remote = try DockerConnection(environment: environment)
        try await EngineFixture.with(connection: remote, observing: DockerConnection()) { engine in
            let runner = engine.runner()
            try await runner.ping()
            try await runner.start(try engine.spec("far", sleeper), attempt: 0)
            let run = try await engine.saying("up", runner, "far")
            try await runner.remove(run)
            #expect(try await runner.runs(of: .live).isEmpty)

            var strangers = environment
            strangers["DOCKER_CERT_PATH"] = proxy.folder + "/strangers"
            for (variables, name) in [
                (strangers, "foreign authority"), (["DOCKER_HOST": "tcp://localhost:\(proxy.port)"], "no TLS"),
            ] {
                let stranger = DockerRunner(
                    connection: try DockerConnection(environment: variables),
                    code: engine.code,
                    client: engine.client,
                    logger: .init(label: "test")
                )
                let error = await #expect(throws: RunnerError.self, "\(name)") { try await stranger.ping() }
                #expect(error?.code == .unavailable, "\(name)")
            }
        }
    }
}

/// Ends TLS before the local engine's socket, for clients with a certificate of its authority only.
struct TLSProxy: Sendable {
    let folder: String
    let port: Int
    private let service: Service

    private static let program = """
        import os, socket, ssl, sys, threading
        folder = sys.argv[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + '/server-cert.pem', folder + '/server-key.pem')
        context.load_verify_locations(folder + '/ca.pem')
        context.verify_mode = ssl.CERT_REQUIRED
        def pump(source, target):
            try:
                while data := source.recv(65536): target.sendall(data)
            except OSError: pass
            for end in (source, target):
                try: end.shutdown(socket.SHUT_RDWR)
                except OSError: pass
        def serve(client):
            try: client = context.wrap_socket(client, server_side=True)
            except OSError: return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect('/var/run/docker.sock')
            threading.Thread(target=pump, args=(engine, client), daemon=True).start()
            pump(client, engine)
        listener = socket.create_server(('127.0.0.1', 0))
        open(folder + '/port.new', 'w').write(str(listener.getsockname()[1]))
        os.rename(folder + '/port.new', folder + '/port')
        def accept():
            while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        sys.stdin.read()
        """

    init() async throws {
        folder = try temporaryFolder("tls")
        try TLSProxy.makeCertificates(folder)
        try TLSProxy.makeCertificates(folder + "/strangers")
        service = try Service("/usr/bin/env", ["python3", "-c", TLSProxy.program, folder])
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            if let file = fopen(folder + "/port", "r") {
                defer { fclose(file) }
                var digits = [CChar](repeating: 0, count: 16)
                _ = fread(&digits, 1, 15, file)
                port = Int(atoi(digits))
                return
            }
            try #require(ContinuousClock.now < deadline, "the proxy doesn't start")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func stop() {
        service.stop()
        do { try shell("rm -rf --one-file-system '\(folder)'") } catch { Issue.record("\(folder) can't be removed") }
    }

    /// An authority, and certificates of it for a server and a client, as Docker names the files.
    private static func makeCertificates(_ folder: String) throws {
        try shell(
            """
            set -e; mkdir -p '\(folder)'; cd '\(folder)'; exec 2>openssl.log
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem
            printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth,clientAuth\\n' >extensions
            for name in server- ''; do
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout "${name}key.pem" -out request.pem
                openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile extensions -out "${name}cert.pem"
            done
            """
        )
    }
}
