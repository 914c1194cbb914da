import HTTP
import Synchronization
import Testing

@Suite struct LoadTests {
    @Test func thousandsOfConcurrentRequestsShareFewConnections() async throws {
        let client = HTTPClient(maxConnections: 32)
        try await withServer(unix: true) { connection in
            while let request = connection.readRequest() {
                connection.answer(String(decoding: request.body, as: UTF8.self))
            }
        } _: { server in
            let good = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<3000 {
                    let body = Array("body \(number)".utf8)
                    group.addTask {
                        let response = try await client.execute(request(server, .post, body: .bytes(body)))
                        return try await response.body.collect(upTo: 100) == body
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(good == 3000)
            #expect(server.connections <= 32)
        }
    }

    @Test func moreConnectionsAtOnceThanTheListenerQueues() async throws {
        let client = HTTPClient(maxConnections: 400)
        try await withServer(unix: true, backlog: 1) { connection in
            while connection.readRequest() != nil { connection.answer("x") }
        } _: { server in
            let good = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<400 { group.addTask { try await client.execute(request(server)).status } }
                return try await group.reduce(0) { $0 + ($1 == 200 ? 1 : 0) }
            }
            #expect(good == 400)
        }
    }

    @Test func eventStreamsDoNotTakeThePlacesOfOthers() async throws {
        let client = HTTPClient(maxConnections: 1)
        try await withServer(unix: true) { connection in
            while let request = connection.readRequest() {
                guard request.line.contains("/events") else {
                    connection.answer("x")
                    continue
                }
                connection.send("HTTP/1.1 200 OK\r\n\r\n{}\n")
                connection.waitForClose()
            }
        } _: { server in
            let events = request(server, .get, "/events", deadlines: HTTPDeadlines(idle: nil))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        for try await piece in try await client.execute(events).body {
                            #expect(piece == Array("{}\n".utf8))
                        }
                    }
                }
                while server.connections < 100 { await Task.yield() }
                for _ in 0..<10 {
                    let status = try await client.execute(request(server)).status
                    #expect(status == 200)
                }
                group.cancelAll()
            }
        }
    }

    @Test func clientsLeaveNoDescriptorBehind() async throws {
        // Other tests run meanwhile: a leak of one descriptor a client would outweigh theirs.
        func count() -> Int { descriptors("anon_inode:[eventpoll]") + descriptors("anon_inode:[eventfd]") }
        let before = count()
        for _ in 0..<300 {
            let client = HTTPClient()
            #expect(
                await failure { _ = try await client.execute(HTTPRequest(url: "http://127.0.0.1:1/")) }?.code
                    == .refused
            )
        }
        #expect(count() - before < 200)
    }

    @Test func transfersLeaveNoDescriptorBehind() async throws {
        let client = HTTPClient()
        let missing = HTTPRequest(url: "http://d/", unixSocket: "/tmp/nothing-here.sock")
        try await withServer { connection in
            guard let request = connection.readHead() else { return }
            if request.line.contains("/garbage") { connection.send("garbage\r\n\r\n") }
            if request.line.contains("/reset") { connection.resetOnClose() }
            if request.line.contains("/hang") { connection.waitForClose() }
            if request.line.contains("/half") { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1") }
        } _: { server in
            let before = descriptors("socket:")
            for _ in 0..<100 {
                for path in ["/garbage", "/reset", "/half"] {
                    let error = await failure {
                        _ = try await client.execute(request(server, .post, path)).body.collect(upTo: 10)
                    }
                    #expect(error != nil)
                }
                let hang = request(server, .get, "/hang", deadlines: HTTPDeadlines(total: .milliseconds(3)))
                #expect(await failure { _ = try await client.execute(hang) } != nil)
                #expect(await failure { _ = try await client.execute(missing) }?.code == .refused)
            }
            #expect(descriptors("socket:") - before < 250)
        }
    }
}
