import Glibc
import HTTP
import Synchronization
import Testing

@Suite struct FailureTests {
    let client = HTTPClient()

    private func code(_ server: ScriptedServer, _ method: HTTPMethod = .get) async -> HTTPError.Code? {
        await failure {
            let response = try await client.execute(
                request(server, method, deadlines: HTTPDeadlines(idle: .seconds(5)))
            )
            _ = try await response.body.collect(upTo: 1 << 20)
        }?.code
    }

    @Test func closedPortIsRefused() async throws {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = bindToFreePort(probe)
        defer { close(probe) }
        let error = await failure {
            _ = try await client.execute(HTTPRequest(url: "http://127.0.0.1:\(port)/x?secret=1"))
        }
        #expect(error?.code == .refused)
        #expect(error?.isRetryable == true)
        #expect(error?.message == "GET http://127.0.0.1:\(port)/x: Connection refused")
    }

    @Test func missingAndDeadUnixSocketsAreRefused() async throws {
        let missing = await failure {
            _ = try await client.execute(HTTPRequest(url: "http://d/_ping", unixSocket: "/tmp/nothing-here.sock"))
        }
        #expect(missing?.code == .refused)
        #expect(missing?.message == "GET http://d/_ping over /tmp/nothing-here.sock: No such file or directory")
        let file = "/tmp/http-test-no-socket-\(getpid())"
        close(Glibc.open(file, O_CREAT | O_WRONLY, 0o600))
        defer { unlink(file) }
        let dead = await failure { _ = try await client.execute(HTTPRequest(url: "http://d/_ping", unixSocket: file)) }
        #expect(dead?.code == .refused)
        #expect(dead?.message.hasSuffix("Connection refused") == true)
    }

    @Test func unknownHostIsUnresolved() async {
        let error = await failure { _ = try await client.execute(HTTPRequest(url: "http://no-such-host.invalid/")) }
        #expect(error?.code == .unresolved)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "\0\u{1}\u{2}\u{3}garbage\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 banana\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\nContent-Length: 7\r\n\r\n12345",
    ])
    func garbageIsAProtocolViolation(answer: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send(answer)
        } _: { server in
            #expect(await code(server) == .protocolViolation)
        }
    }

    @Test func endlessHeadIsCutOff() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X-More: \(String(repeating: "x", count: 1000))\r\n") {}
        } _: { server in
            #expect(await code(server) == .protocolViolation)
        }
    }

    @Test func endlessInterimHeadsAreCutOff() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            while connection.send("HTTP/1.1 100 Continue\r\n\r\n") {}
        } _: { server in
            #expect(await code(server) == .protocolViolation)
        }
    }

    @Test(arguments: ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nX-Half: "])
    func connectionClosedBeforeTheHeadIsComplete(answer: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send(answer)
        } _: { server in
            #expect([.reset, .protocolViolation].contains(await code(server)))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
    ])
    func connectionClosedMidwayIsAResetAfterWhatCame(answer: String) async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send(answer)
        } _: { server in
            let response = try await client.execute(request(server))
            #expect(response.status == 200)
            var seen: [UInt8] = []
            let error = await failure { for try await piece in response.body { seen += piece } }
            #expect(error?.code == .reset)
            #expect(error?.isRetryable == true)
            #expect(String(decoding: seen, as: UTF8.self).hasPrefix("123"))
        }
    }

    @Test func resetMidwayIsAReset() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
            connection.resetOnClose()
        } _: { server in
            #expect(await code(server) == .reset)
        }
    }

    @Test func postIsNotSentTwiceWhenAKeptConnectionBreaks() async throws {
        // The first request leaves a kept connection; the second one's is broken after it was read.
        let posts = Mutex(0)
        try await withServer { connection in
            while let request = connection.readRequest() {
                guard request.line.hasPrefix("POST") else {
                    connection.answer("first")
                    continue
                }
                posts.withLock { $0 += 1 }
                return
            }
        } _: { server in
            _ = try await text(try await client.execute(request(server)))
            #expect(await code(server, .post) == .reset)
            // Whatever was sent before this has been read when it is answered.
            _ = try await text(try await client.execute(request(server)))
            #expect(posts.withLock { $0 } == 1)
        }
    }

    @Test func getIsSentAgainWhenAKeptConnectionBreaks() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.answer("first")
            _ = connection.readRequest()
        } _: { server in
            _ = try await text(try await client.execute(request(server)))
            let seen1 = try await text(try await client.execute(request(server)))
            #expect(seen1 == "first")
            #expect(server.connections == 2)
        }
    }

    @Test func bodyInMemoryIsSentAgainWholeWhenAKeptConnectionBreaks() async throws {
        try await withServer { connection in
            let first = connection.readRequest()
            connection.answer("\(first?.body.count ?? -1)")
            _ = connection.readRequest()
        } _: { server in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 1, count: 200_000))
            for _ in 0..<4 {
                let seen = try await text(try await client.execute(request(server, .put, body: body)))
                #expect(seen == "200000")
            }
        }
    }

    @Test(arguments: [
        "", "/x", "ftp://h/", "unix:/x", "http:///x", "http://?x", "http://user:geheim@h/", "http://h/a b",
        "http://h/\r\nX: y",
        "http://h/\u{e9}", "http://h/x#frag", "http://h/\0", "http://h/\u{7f}", "http://a\\b/",
    ])
    func unsendableURLIsRefused(url: String) async {
        let error = await failure { _ = try await client.execute(HTTPRequest(url: url)) }
        #expect(error?.code == .badURL)
        #expect(error?.isRetryable == false)
        #expect(error?.message.contains("geheim") == false)
    }

    @Test(arguments: [
        HTTPHeader(name: "X", value: "a\r\nInjected: 1"), HTTPHeader(name: "X", value: "a\nb"),
        HTTPHeader(name: "X", value: "a\0b"),
        HTTPHeader(name: "X\r\nInjected", value: "1"), HTTPHeader(name: "X:", value: "1"),
        HTTPHeader(name: "", value: "1"),
        HTTPHeader(name: "X y", value: "1"), HTTPHeader(name: "content-length", value: "1"),
        HTTPHeader(name: "Transfer-Encoding", value: "chunked"),
    ])
    func unsendableHeaderIsRefused(header: HTTPHeader) async {
        let error = await failure {
            _ = try await client.execute(HTTPRequest(url: "http://127.0.0.1:1/", headers: [header]))
        }
        #expect(error?.code == .badRequest)
    }

    @Test func unsendableOptionsAreRefused() async {
        let requests = [
            HTTPRequest(method: .head, url: "http://h/", body: .bytes([1])),
            HTTPRequest(method: .put, url: "http://h/", body: .stream(length: -1, Pulled { _ in nil })),
            HTTPRequest(url: "https://h/", tls: TLSOptions(caFile: "a\0b")),
        ]
        for request in requests {
            #expect(await failure { _ = try await client.execute(request) }?.code == .badRequest)
        }
        let path = HTTPRequest(url: "http://h/", unixSocket: String(repeating: "x", count: 108))
        #expect(await failure { _ = try await client.execute(path) }?.code == .badURL)
    }

    @Test func nothingCanBeSentAfterShutdown() async throws {
        let client = HTTPClient()
        client.shutdown()
        client.shutdown()
        let error = await failure { _ = try await client.execute(HTTPRequest(url: "http://127.0.0.1:1/")) }
        #expect(error?.code == .closed)
    }

    @Test func shutdownFailsWhatRuns() async throws {
        try await withServer { connection in
            let request = connection.readRequest()
            if request?.line.contains("/head") == true { connection.send("HTTP/1.1 200 OK\r\n\r\n") }
            connection.waitForClose()
        } _: { server in
            let client = HTTPClient()
            let open = try await client.execute(request(server, .get, "/head"))
            let hanging = Task { await failure { _ = try await client.execute(request(server)) }?.code }
            while server.connections < 2 { await Task.yield() }
            client.shutdown()
            #expect(await hanging.value == .closed)
            #expect(await failure { _ = try await open.body.collect(upTo: 10) }?.code == .closed)
        }
    }

    @Test func bodyKeepsItsClientAlive() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer("still here") }
        } _: { server in
            let response = try await HTTPClient().execute(request(server))
            let seen2 = try await text(response)
            #expect(seen2 == "still here")
        }
    }
}
