import TestSupport
import Testing

@testable import NATSBus

@Suite(.serialized) struct TLSIntegrationTests {
    @Test func theServerIsVerifiedAndTheClientShowsItsCertificate() async throws {
        let certificates = try await TestCertificates.make()
        let port = try freePort()
        let server = try ChildProcess([
            try ServicePrograms.path("nats-server"), "-a", "127.0.0.1", "-p", "\(port)", "--tlsverify",
            "--tlscert", certificates.serverCertificate, "--tlskey", certificates.serverKey,
            "--tlscacert", certificates.authority,
        ])
        defer { server.killGroup() }
        var options = NATSConnectionOptions.test("tls://127.0.0.1:\(port)")
        options.caFile = certificates.authority
        (options.certificateFile, options.keyFile) = (certificates.clientCertificate, certificates.clientKey)
        let connection = try NATSConnection(options, logger: Logs().logger)
        try await eventually("a message arrives over TLS") {
            try await connection.publish("test", [1])
            return true
        }
        #expect(connection.isConnected)
        await connection.close()

        options.caFile = nil
        let trusting = try NATSConnection(options, logger: Logs().logger)
        let unknown = await #expect(throws: NATSError.self) { try await trusting.publish("test", [1]) }
        #expect(unknown?.isRetryable == true)
        await trusting.close()

        options = .test("nats://127.0.0.1:\(port)")
        options.caFile = certificates.authority
        let nameless = try NATSConnection(options, logger: Logs().logger)
        await #expect(throws: NATSError.self) { try await nameless.publish("test", [1]) }
        #expect(!nameless.isConnected)
        await nameless.close()
    }
}
