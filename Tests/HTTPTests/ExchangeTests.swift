import HTTP
import Synchronization
import Testing

/// Answers every request with its line, its header fields and its body.
@Sendable private func echo(_ connection: ServerConnection) {
    while let request = connection.readRequest() {
        connection.answer(
            request.head + "\n\n" + String(decoding: request.body, as: UTF8.self),
            headers: ["X-Seen: yes", "x-seen: twice"]
        )
    }
}

@Suite struct ExchangeTests {
    let client = HTTPClient()

    @Test func getReturnsStatusHeadersAndBody() async throws {
        try await withServer(echo) { server in
            let response = try await client.execute(request(server, .get, "/a%2Fb/../c?x=%20+y"))
            #expect(response.status == 200)
            #expect(response.headers.first("X-SEEN") == "yes")
            #expect(response.headers.all("x-Seen") == ["yes", "twice"])
            #expect(response.headers.first("missing") == nil)
            let seen = try await text(response)
            #expect(seen.hasPrefix("GET /a%2Fb/../c?x=%20+y HTTP/1.1\r\n"))
            #expect(seen.contains("User-Agent: the0-runtime"))
            #expect(!seen.contains("Content-Length"))
        }
    }

    @Test(arguments: [HTTPMethod.put, .post, .patch, .delete])
    func bodiesInMemoryAreSentWithTheirLength(method: HTTPMethod) async throws {
        try await withServer(echo) { server in
            let response = try await client.execute(request(server, method, body: .bytes(Array("hello".utf8))))
            let seen = try await text(response)
            #expect(seen.hasPrefix("\(method.rawValue) / HTTP/1.1\r\n"))
            #expect(seen.contains("\r\nContent-Length: 5"))
            #expect(!seen.contains("Content-Type"))
            #expect(!seen.contains("Expect"))
            #expect(seen.hasSuffix("\n\nhello"))
        }
    }

    @Test(arguments: [HTTPMethod.put, .post, .patch])
    func methodsThatUsuallyHaveABodySayWhenTheyHaveNone(method: HTTPMethod) async throws {
        try await withServer(echo) { server in
            for body in [HTTPRequestBody.none, .bytes([])] {
                let seen = try await text(try await client.execute(request(server, method, body: body)))
                #expect(seen.contains("Content-Length: 0"))
                #expect(!seen.contains("Content-Type"))
            }
        }
    }

    @Test func largeBodiesAreSentWithoutExpectingContinue() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                connection.answer("\(request.body.count) \(request.header("Expect") ?? "no expectation")")
            }
        } _: { server in
            let big = [UInt8](repeating: 7, count: 3_000_000)
            let response = try await client.execute(request(server, .put, body: .bytes(big)))
            #expect(try await text(response) == "3000000 no expectation")
        }
    }

    @Test func streamedBodyOfKnownLengthIsAnnounced() async throws {
        try await withServer(echo) { server in
            let source = Pulled { $0 < 3 ? Array("part\($0)".utf8) : nil }
            let seen = try await text(
                try await client.execute(request(server, .put, body: .stream(length: 15, source)))
            )
            #expect(seen.contains("Content-Length: 15"))
            #expect(seen.hasSuffix("\n\npart0part1part2"))
        }
    }

    @Test func streamedBodyOfUnknownLengthIsChunked() async throws {
        try await withServer(echo) { server in
            let source = Pulled { $0 < 3 ? Array("part\($0)".utf8) : nil }
            let seen = try await text(
                try await client.execute(request(server, .post, body: .stream(length: nil, source)))
            )
            #expect(seen.contains("Transfer-Encoding: chunked"))
            #expect(!seen.contains("Content-Length"))
            #expect(seen.hasSuffix("\n\npart0part1part2"))
        }
    }

    @Test func emptyStreamsAreBodiesToo() async throws {
        try await withServer(echo) { server in
            for length in [nil, 0] as [Int64?] {
                let source = Pulled { _ in nil }
                let response = try await client.execute(request(server, .put, body: .stream(length: length, source)))
                #expect(try await text(response).hasSuffix("\n\n"))
            }
        }
    }

    @Test func chunkedResponseIsPutTogether() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n")
            connection.send("5\r\npedia\r\n0\r\nX-Trailer: 1\r\n\r\n")
            connection.waitForClose()
        } _: { server in
            let response = try await client.execute(request(server))
            #expect(response.headers.first("X-Trailer") == nil)
            #expect(try await text(response) == "wikipedia")
        }
    }

    @Test func bodyWithoutLengthEndsWithTheConnection() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")
        } _: { server in
            let seen = try await text(try await client.execute(request(server)))
            #expect(seen == "until the end")
        }
    }

    @Test func headHasNoBodyWhateverItAnnounces() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                #expect(request.line == "HEAD / HTTP/1.1")
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            }
        } _: { server in
            let response = try await client.execute(request(server, .head))
            #expect(response.headers.first("content-length") == "1000")
            #expect(try await response.body.collect(upTo: 5) == [])
        }
    }

    @Test func interimHeadsAreSkipped() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
            connection.answer("done", status: "201 Created", headers: ["X-Late:  2 "])
        } _: { server in
            let response = try await client.execute(request(server))
            #expect(response.status == 201)
            #expect(response.headers.first("x-early") == nil)
            #expect(response.headers.first("x-late") == "2")
            #expect(try await text(response) == "done")
        }
    }

    @Test func redirectsAndCompressionAreLeftAlone() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                #expect(request.header("Accept-Encoding") == nil)
                connection.answer(
                    "raw",
                    status: "307 Temporary Redirect",
                    headers: ["Location: /other", "Content-Encoding: gzip"]
                )
            }
        } _: { server in
            let response = try await client.execute(request(server))
            #expect(response.status == 307)
            #expect(try await text(response) == "raw")
            #expect(server.connections == 1)
        }
    }

    @Test func givenHeadersAreSentAsTheyAre() async throws {
        try await withServer(echo) { server in
            let headers = [
                HTTPHeader(name: "X-Empty", value: ""), HTTPHeader(name: "X-Colon", value: "a:b;c"),
                HTTPHeader(name: "Content-Type", value: "application/x-tar"),
                HTTPHeader(name: "user-agent", value: "me"),
                HTTPHeader(name: "Host", value: "elsewhere"),
            ]
            let response = try await client.execute(request(server, .put, headers: headers, body: .bytes([1])))
            let seen = try await text(response)
            for line in [
                "X-Empty:\r\n", "X-Colon: a:b;c\r\n", "Content-Type: application/x-tar\r\n", "user-agent: me\r\n",
                "Host: elsewhere\r\n",
            ] {
                #expect(seen.contains(line))
            }
            #expect(!seen.contains("the0-runtime"))
        }
    }

    @Test func unixSocketCarriesRequests() async throws {
        try await withServer(unix: true, echo) { server in
            let seen = try await text(try await client.execute(request(server, .post, "/v1.41/x", body: .bytes([65]))))
            #expect(seen.contains("POST /v1.41/x HTTP/1.1\r\nHost: localhost\r\n"))
            #expect(seen.hasSuffix("\n\nA"))
        }
    }

    @Test(arguments: [true, false])
    func connectionIsKeptForTheNextRequests(unix: Bool) async throws {
        try await withServer(unix: unix, echo) { server in
            for number in 0..<50 {
                let body: HTTPRequestBody = number % 2 == 0 ? .none : .bytes([UInt8](repeating: 65, count: number))
                _ = try await text(try await client.execute(request(server, number % 2 == 0 ? .get : .put, body: body)))
            }
            #expect(server.connections == 1)
        }
    }

    @Test func connectionIsKeptThoughABodilessResponseIsDropped() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.send("HTTP/1.1 204 No Content\r\n\r\n") }
        } _: { server in
            for _ in 0..<50 {
                let status = try await client.execute(request(server, .post)).status
                #expect(status == 204)
            }
            #expect(server.connections == 1)
        }
    }

    @Test func connectionIsKeptWhileManyEventStreamsRun() async throws {
        let client = HTTPClient(maxConnections: 2)
        try await withServer { connection in
            while let request = connection.readRequest() {
                guard request.line.contains("/events") else {
                    connection.answer("x")
                    continue
                }
                connection.send("HTTP/1.1 200 OK\r\n\r\n{}")
                connection.waitForClose()
            }
        } _: { server in
            var streams: [HTTPResponse] = []
            for _ in 0..<10 {
                streams.append(
                    try await client.execute(request(server, .get, "/events", deadlines: HTTPDeadlines(idle: nil)))
                )
            }
            for _ in 0..<20 { _ = try await text(try await client.execute(request(server))) }
            #expect(server.connections == 11)
            #expect(streams.count == 10)
        }
    }

    @Test func deadKeptConnectionIsReplacedWithoutAnError() async throws {
        try await withServer { connection in
            if connection.readRequest() != nil { connection.answer("once") }
        } _: { server in
            for _ in 0..<20 {
                let status = try await client.execute(request(server)).status
                #expect(status == 200)
            }
        }
    }

    @Test func bodyIsRefusedAboveItsLimit() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                if request.line.contains("/announced") {
                    connection.answer("0123456789")
                } else {
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    while connection.send("4\r\nabcd\r\n") {}
                }
            }
        } _: { server in
            let exact = try await client.execute(request(server, .get, "/announced"))
            #expect(try await exact.body.collect(upTo: 10).count == 10)
            for path in ["/announced", "/endless"] {
                let response = try await client.execute(request(server, .get, path))
                #expect(await failure { _ = try await response.body.collect(upTo: 9) }?.code == .bodyTooLarge)
            }
        }
    }
}
