import HTTP
import Synchronization
import Testing

@Suite struct CancellationTests {
    let client = HTTPClient()

    /// Runs a request in a task, cancels that once `ready` says so, and returns the error.
    private func cancelled(_ request: HTTPRequest, when ready: @escaping () -> Bool) async -> HTTPError.Code? {
        let task = Task { await failure { _ = try await client.execute(request).body.collect(upTo: 1 << 30) }?.code }
        while !ready() { await Task.yield() }
        task.cancel()
        return await task.value
    }

    @Test func taskCancelledBeforeItStartsConnectsToNobody() async throws {
        try await withServer { connection in
            connection.waitForClose()
        } _: { server in
            let start = Gate()
            let task = Task {
                await start.wait()
                return await failure { _ = try await client.execute(request(server)) }?.code
            }
            task.cancel()
            start.open()
            #expect(await task.value == .cancelled)
            #expect(server.connections == 0)
        }
    }

    @Test func cancelledAtAnyInstantOfItsStart() async throws {
        try await withServer(unix: true) { connection in
            while connection.readRequest() != nil { connection.answer("x") }
        } _: { server in
            for round in 0..<300 {
                let task = Task { () -> HTTPError.Code? in
                    do {
                        _ = try await client.execute(request(server)).body.collect(upTo: 10)
                        return nil
                    } catch {
                        return (error as? HTTPError)?.code
                    }
                }
                for _ in 0..<(round % 30) { await Task.yield() }
                task.cancel()
                #expect([nil, .cancelled].contains(await task.value))
            }
            let seen1 = try await client.execute(request(server)).status
            #expect(seen1 == 200)
        }
    }

    @Test func cancelledWhileWaitingForAFreeConnection() async throws {
        let client = HTTPClient(maxConnections: 1)
        try await withServer { connection in
            while connection.readRequest() != nil { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") }
        } _: { server in
            let holder = try await client.execute(request(server))
            let task = Task { await failure { _ = try await client.execute(request(server)) }?.code }
            for _ in 0..<100 { await Task.yield() }
            task.cancel()
            #expect(await task.value == .cancelled)
            #expect(holder.status == 200)
            #expect(server.connections == 1)
        }
    }

    @Test func cancelledWhileConnecting() async throws {
        let (path, hold) = fullUnixListener()
        defer { hold() }
        let task = Task {
            await failure { _ = try await client.execute(HTTPRequest(url: "http://d/", unixSocket: path)) }?.code
        }
        for _ in 0..<1000 { await Task.yield() }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test func cancelledWhileWaitingForTheHeadClosesTheConnection() async throws {
        let closed = Gate()
        try await withServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
            closed.open()
        } _: { server in
            #expect(await cancelled(request(server)) { server.connections == 1 } == .cancelled)
            await closed.wait()
        }
    }

    @Test func cancelledWhileTheBodyComesClosesTheConnection() async throws {
        let closed = Gate()
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send("more and more ") {}
            closed.open()
        } _: { server in
            #expect(await cancelled(request(server)) { server.connections == 1 } == .cancelled)
            await closed.wait()
        }
    }

    @Test func cancelledWhileTheBodyIsSentCancelsItsSource() async throws {
        let closed = Gate()
        let pulls = Mutex(0)
        let sourceEnded = Gate()
        try await withServer { connection in
            _ = connection.readHead()
            connection.waitForClose()
            closed.open()
        } _: { server in
            let source = Pulled { number in
                pulls.withLock { $0 = number }
                if number < 3 { return [1] }
                // A source that waits, as one that reads from somewhere else does.
                do { try await Task.sleep(for: .seconds(60)) } catch { sourceEnded.open() }
                throw CancellationError()
            }
            let upload = request(server, .put, body: .stream(length: nil, source))
            #expect(await cancelled(upload) { pulls.withLock { $0 } == 3 } == .cancelled)
            await sourceEnded.wait()
            await closed.wait()
        }
    }

    @Test func droppedResponseClosesTheConnection() async throws {
        let closed = Gate()
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            connection.waitForClose()
            closed.open()
        } _: { server in
            let seen2 = try await client.execute(request(server, deadlines: HTTPDeadlines(idle: nil))).status
            #expect(seen2 == 200)
            await closed.wait()
        }
    }

    @Test func iteratorLeftEarlyClosesTheConnection() async throws {
        let closed = Gate()
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send("event\n") {}
            closed.open()
        } _: { server in
            func first() async throws -> [UInt8]? {
                for try await piece in try await client.execute(request(server)).body { return piece }
                return nil
            }
            let seen3 = try await first()?.isEmpty
            #expect(seen3 == false)
            await closed.wait()
        }
    }

    @Test func secondReaderIsToldSo() async throws {
        try await withServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            connection.waitForClose()
        } _: { server in
            let response = try await client.execute(request(server))
            let readers = (0..<2).map { _ in
                Task { await failure { _ = try await response.body.collect(upTo: 9) }?.code }
            }
            // One of the two is refused at once; the other one waits for the server.
            let codes = await withTaskGroup(of: HTTPError.Code?.self) { group in
                for reader in readers { group.addTask { await reader.value } }
                let first = await group.next()
                for reader in readers { reader.cancel() }
                let second = await group.next()
                return [first ?? nil, second ?? nil]
            }
            #expect(codes == [.badRequest, .cancelled])
        }
    }
}
