import Foundation
import Synchronization
import Testing

@testable import HTTP

/// Against `openssl s_server`, with certificates made for each run.
@Suite struct TLSTests {
    let client = HTTPClient()

    private func execute(_ url: String, _ tls: TLSOptions?) async throws -> HTTPResponse {
        try await client.execute(HTTPRequest(url: url, tls: tls, deadlines: HTTPDeadlines(idle: .seconds(10))))
    }

    private func failureCode(_ url: String, _ tls: TLSOptions) async -> HTTPError.Code? {
        await failure { _ = try await execute(url, tls) }?.code
    }

    @Test func serverOfAKnownAuthorityIsTrusted() async throws {
        try await withTLSServer { server in
            let response = try await execute(server.url, TLSOptions(caFile: server.file("ca.pem")))
            #expect(response.status == 200)
            #expect(try await text(response).contains("TLSv1"))
        }
    }

    @Test func serverOfAnotherAuthorityIsRefused() async throws {
        try await withTLSServer { server in
            let options = [nil, TLSOptions(), TLSOptions(caFile: server.file("other-ca.pem"))]
            for tls in options {
                let error = await failure { _ = try await execute(server.url, tls) }
                #expect(error?.code == .tls)
                #expect(error?.isRetryable == false)
            }
        }
    }

    @Test func anotherHostsCertificateIsRefused() async throws {
        try await withTLSServer { server in
            let url = server.url.replacing("127.0.0.1", with: "localhost")
            let error = await failure { _ = try await execute(url, TLSOptions(caFile: server.file("ca.pem"))) }
            #expect(error?.code == .tls)
        }
    }

    @Test func checksCanBeTurnedOff() async throws {
        try await withTLSServer { server in
            let response = try await execute(server.url, TLSOptions(verify: false))
            #expect(response.status == 200)
            // A connection that wasn't checked isn't used for a request that wants it checked.
            #expect(await failure { _ = try await execute(server.url, TLSOptions()) }?.code == .tls)
        }
    }

    @Test func clientCertificateIsShown() async throws {
        try await withTLSServer(arguments: ["-Verify", "2", "-verify_return_error"]) { server in
            let tls = TLSOptions(
                caFile: server.file("ca.pem"),
                certificateFile: server.file("client.pem"),
                keyFile: server.file("client.key")
            )
            let response = try await execute(server.url, tls)
            #expect(response.status == 200)
        }
    }

    @Test(arguments: [["-tls1_2"], ["-tls1_3"]])
    func missingOrUntrustedClientCertificateIsATLSError(version: [String]) async throws {
        try await withTLSServer(arguments: ["-Verify", "2", "-verify_return_error"] + version) { server in
            let other = TLSOptions(
                caFile: server.file("ca.pem"),
                certificateFile: server.file("other.pem"),
                keyFile: server.file("other.key")
            )
            for tls in [TLSOptions(caFile: server.file("ca.pem")), other] {
                let error = await failure { _ = try await execute(server.url, tls) }
                #expect(error?.code == .tls, "\(String(describing: error))")
            }
        }
    }

    @Test func unusableFilesAreATLSErrorThatNamesThem() async throws {
        try await withTLSServer { server in
            let ca = server.file("ca.pem")
            let unusable = [
                TLSOptions(caFile: "/nowhere/ca.pem"), TLSOptions(caFile: server.file("client.key")),
                TLSOptions(caFile: ca, certificateFile: "/nowhere/cert.pem", keyFile: server.file("client.key")),
                TLSOptions(caFile: ca, certificateFile: server.file("client.pem"), keyFile: server.file("other.key")),
            ]
            for tls in unusable {
                let error = await failure { _ = try await execute(server.url, tls) }
                #expect(error?.code == .tls, "\(String(describing: error))")
            }
        }
    }

    @Test func certificatesAndKeysCanBeGivenAsData() async throws {
        try await withTLSServer(arguments: ["-Verify", "2", "-verify_return_error"]) { server in
            func bytes(_ name: String) throws -> [UInt8] {
                Array(try Data(contentsOf: URL(filePath: server.file(name))))
            }
            var tls = TLSOptions()
            tls.caData = try bytes("ca.pem")
            tls.certificateData = try bytes("client.pem")
            tls.keyData = try bytes("client.key")
            #expect(try await execute(server.url, tls).status == 200)
            tls.caData = try bytes("other-ca.pem")
            #expect(await failureCode(server.url, tls) == .tls)
            tls.caFile = server.file("ca.pem")
            #expect(await failureCode(server.url, tls) == .badRequest)
        }
    }

    @Test func theServersNameCanBeAnotherThanTheURLs() async throws {
        try await withTLSServer { server in
            let url = server.url.replacing("127.0.0.1", with: "localhost")
            var tls = TLSOptions(caFile: server.file("ca.pem"))
            tls.serverName = "127.0.0.1"
            let response = try await execute(url, tls)
            #expect(response.status == 200)
            tls.serverName = "kubernetes.default"
            #expect(await failureCode(url, tls) == .tls)
            for name in ["", "a:b", "a/b", "a b"] {
                tls.serverName = name
                #expect(await failureCode(url, tls) == .badRequest)
            }
        }
    }

    @Test(arguments: [
        ("https://a/", "a", "443", "/"), ("HTTPS://a:6443?x=1", "a", "6443", "?x=1"),
        ("https://[::1]:8/p", "[::1]", "8", "/p"), ("https://[::1]", "[::1]", "443", ""),
    ])
    func placesOfURLs(_ url: String, host: String, port: String, rest: String) throws {
        let place = try #require(URLPlace(url))
        #expect([place.host, place.port, place.rest] == [host, port, rest])
        #expect(place.isSecure)
    }

    @Test func plainServerIsATLSError() async throws {
        try await withServer { connection in
            connection.answer("plain", status: "400 Bad Request")
            connection.waitForClose()
        } _: { server in
            let url = server.url.replacing("http:", with: "https:")
            #expect(await failure { _ = try await execute(url, nil) }?.code == .tls)
        }
    }

    @Test func serverThatHangsInTheHandshakeEndsAtTheConnectDeadline() async throws {
        try await withServer { connection in
            connection.waitForClose()
        } _: { server in
            let url = server.url.replacing("http:", with: "https:")
            let request = HTTPRequest(url: url, deadlines: HTTPDeadlines(connect: .milliseconds(100)))
            #expect(await failure { _ = try await client.execute(request) }?.code == .timeoutConnect)
        }
    }
}

/// A running `openssl s_server` that answers each GET with its status page.
struct TLSServer: Sendable {
    let url: String
    let folder: URL

    func file(_ name: String) -> String { folder.appending(path: name).path }
}

private func withTLSServer(arguments: [String] = [], _ body: (TLSServer) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "http-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let making = try openssl(
        """
        for ca in ca other-ca; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout $ca.key -out $ca.pem -subj /CN=$ca
        done
        sign() {
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj /CN=$1
            printf 'subjectAltName=IP:127.0.0.1' > $1.ext
            openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
        }
        set -e
        sign server ca; sign client ca; sign other other-ca
        """,
        in: folder
    )
    making.process.waitUntilExit()
    #expect(making.process.terminationStatus == 0)
    let server = try openssl(
        "exec openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -CAfile ca.pem -www \(arguments.joined(separator: " "))",
        in: folder
    )
    defer {
        // Not SIGTERM: libdispatch's threads block it, and the child has inherited that.
        kill(server.process.processIdentifier, SIGKILL)
        server.process.waitUntilExit()
    }
    var output = ""
    while !output.contains("ACCEPT 127.0.0.1:") || !output.hasSuffix("\n") {
        let data = server.output.availableData
        guard !data.isEmpty else { throw CocoaError(.executableLoad) }
        output += String(decoding: data, as: UTF8.self)
    }
    let port = output.split(separator: "ACCEPT 127.0.0.1:").last?.prefix { $0.isNumber } ?? ""
    try await body(TLSServer(url: "https://127.0.0.1:\(port)/", folder: folder))
}

private func openssl(_ script: String, in folder: URL) throws -> (process: Process, output: FileHandle) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output.fileHandleForReading)
}
