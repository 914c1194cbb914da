import HTTP
import Testing

@Suite struct DeadlineTests {
    let client = HTTPClient()

    /// The error and how long it took.
    private func timed(_ request: HTTPRequest) async -> (HTTPError.Code?, Duration) {
        let start = ContinuousClock.now
        let error = await failure { _ = try await client.execute(request).body.collect(upTo: 1 << 20) }
        return (error?.code, ContinuousClock.now - start)
    }

    @Test func silentServerEndsAtTheIdleDeadline() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        } _: { server in
            let (code, time) = await timed(request(server, deadlines: HTTPDeadlines(idle: .milliseconds(100))))
            #expect(code == .timeoutIdle)
            #expect(time >= .milliseconds(100) && time < .seconds(5))
        }
    }

    @Test func serverThatStopsMidwayEndsAtTheIdleDeadline() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
            connection.waitForClose()
        } _: { server in
            let response = try await client.execute(request(server, deadlines: HTTPDeadlines(idle: .milliseconds(100))))
            #expect(response.status == 200)
            #expect(await failure { _ = try await response.body.collect(upTo: 200) }?.code == .timeoutIdle)
        }
    }

    @Test func serverThatTakesNoBodyEndsAtTheIdleDeadline() async throws {
        try await withServer { connection in
            _ = connection.readHead()
            while connection.isOpen {}
        } _: { server in
            let big = HTTPRequestBody.bytes([UInt8](repeating: 0, count: 50_000_000))
            let (code, _) = await timed(
                request(server, .put, body: big, deadlines: HTTPDeadlines(idle: .milliseconds(200)))
            )
            #expect(code == .timeoutIdle)
        }
    }

    @Test func trickleOutlivesTheIdleDeadlineButNotTheTotalOne() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send("x") { connection.pause(milliseconds: 20) }
        } _: { server in
            let deadlines = HTTPDeadlines(idle: .milliseconds(300), total: .milliseconds(700))
            let (code, time) = await timed(request(server, deadlines: deadlines))
            #expect(code == .timeoutTotal)
            #expect(time >= .milliseconds(700) && time < .seconds(5))
        }
    }

    @Test func tricklingHeadCountsAsActivity() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X: y\r\n") { connection.pause(milliseconds: 20) }
        } _: { server in
            let deadlines = HTTPDeadlines(idle: .milliseconds(300), total: .milliseconds(700))
            #expect(await timed(request(server, deadlines: deadlines)).0 == .timeoutTotal)
        }
    }

    @Test func totalDeadlineHoldsBeforeTheHeadToo() async throws {
        try await withServer(unix: true) { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        } _: { server in
            let deadlines = HTTPDeadlines(idle: nil, total: .milliseconds(50))
            #expect(await timed(request(server, deadlines: deadlines)).0 == .timeoutTotal)
        }
    }

    @Test func waitingForAFreeConnectionIsBoundedByTheConnectDeadline() async throws {
        let client = HTTPClient(maxConnections: 1)
        try await withServer { connection in
            while connection.readRequest() != nil { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") }
        } _: { server in
            let holder = try await client.execute(request(server))
            let error = await failure {
                _ = try await client.execute(request(server, deadlines: HTTPDeadlines(connect: .milliseconds(100))))
            }
            #expect(error?.code == .timeoutConnect)
            #expect(error?.message.contains("no connection free") == true)
            #expect(holder.status == 200)
        }
    }

    @Test func listenerThatAcceptsNobodyEndsAtTheConnectDeadline() async throws {
        let (path, hold) = fullUnixListener()
        defer { hold() }
        let start = ContinuousClock.now
        let error = await failure {
            _ = try await client.execute(
                HTTPRequest(url: "http://d/", unixSocket: path, deadlines: HTTPDeadlines(connect: .milliseconds(150)))
            )
        }
        #expect(error?.code == .timeoutConnect)
        #expect(ContinuousClock.now - start >= .milliseconds(150))
    }

    @Test func slowReaderIsNotAnIdleServer() async throws {
        let content = [UInt8](repeating: 0, count: 20_000_000)
        try await withServer { connection in
            guard connection.readRequest()?.line.contains("/hang") == false else { return connection.waitForClose() }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n")
            connection.send(content)
        } _: { server in
            let response = try await client.execute(request(server, deadlines: HTTPDeadlines(idle: .milliseconds(250))))
            // Another request's deadline is the clock: time passes while nobody reads this body.
            let hang = request(server, .get, "/hang", deadlines: HTTPDeadlines(total: .milliseconds(700)))
            #expect(await timed(hang).0 == .timeoutTotal)
            let body = try await response.body.collect(upTo: 20_000_000)
            #expect(body.count == 20_000_000)
        }
    }

    @Test func slowSourceIsNotAnIdleServer() async throws {
        try await withServer { connection in
            guard let request = connection.readHead() else { return }
            guard !request.line.contains("/hang") else { return connection.waitForClose() }
            #expect(connection.read(2) == [1, 2])
            connection.answer("done")
        } _: { server in
            let source = Pulled { number in
                guard number == 1 else { return number == 0 ? [1] : nil }
                let hang = request(server, .get, "/hang", deadlines: HTTPDeadlines(total: .milliseconds(700)))
                #expect(await timed(hang).0 == .timeoutTotal)
                return [2]
            }
            let deadlines = HTTPDeadlines(idle: .milliseconds(250))
            let upload = request(server, .put, body: .stream(length: 2, source), deadlines: deadlines)
            let seen = try await text(try await client.execute(upload))
            #expect(seen == "done")
        }
    }

    @Test func absurdDurationsDoNotTrap() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer("ok") }
        } _: { server in
            let longest = Duration(secondsComponent: .max, attosecondsComponent: 0)
            let patient = HTTPDeadlines(connect: longest, idle: longest, total: longest)
            let seen2 = try await client.execute(request(server, deadlines: patient)).status
            #expect(seen2 == 200)
            for deadlines in [
                HTTPDeadlines(connect: .zero), HTTPDeadlines(connect: .seconds(-5)), HTTPDeadlines(total: .zero),
            ] {
                let (code, _) = await timed(request(server, deadlines: deadlines))
                #expect(code == .timeoutConnect || code == .timeoutTotal)
            }
        }
    }
}
