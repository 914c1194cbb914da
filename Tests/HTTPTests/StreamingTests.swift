import HTTP
import Synchronization
import Testing

@Suite struct StreamingTests {
    let client = HTTPClient()
    /// What may be between the two ends: the kernel's socket buffers and our own.
    static let slack = 32 * 1024 * 1024
    static let size = 300 * 1024 * 1024

    @Test func downloadIsNotReadAheadOfItsReader() async throws {
        let sent = Atomic(0)
        try await withServer { connection in
            guard connection.readRequest()?.line.contains("/hang") == false else { return connection.waitForClose() }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(Self.size)\r\n\r\n")
            let piece = [UInt8](repeating: 0x61, count: 1024 * 1024)
            for _ in 0..<300 where connection.send(piece) { sent.add(piece.count, ordering: .relaxed) }
        } _: { server in
            let response = try await client.execute(request(server))
            // Time passes, and nobody reads.
            let hang = request(server, .get, "/hang", deadlines: HTTPDeadlines(total: .milliseconds(300)))
            #expect(await failure { _ = try await client.execute(hang) }?.code == .timeoutTotal)
            #expect(sent.load(ordering: .relaxed) < Self.slack)
            var received = 0
            var ahead = 0
            for try await piece in response.body {
                received += piece.count
                ahead = max(ahead, sent.load(ordering: .relaxed) - received)
            }
            #expect(received == Self.size)
            #expect(ahead < Self.slack)
        }
    }

    @Test(arguments: [true, false])
    func uploadIsNotPulledAheadOfItsServer(isLengthKnown: Bool) async throws {
        let pulled = Atomic(0)
        let received = Atomic(0)
        let mayRead = Gate()
        try await withServer { connection in
            guard let request = connection.readHead() else { return }
            guard !request.line.contains("/hang") else {
                connection.waitForClose()
                return mayRead.open()
            }
            mayRead.waitOnThread()
            guard isLengthKnown else {
                // Chunked: read until the last chunk's end comes, which is all zeros and line ends.
                _ = connection.discardChunked { received.store($0, ordering: .relaxed) }
                connection.answer("\(received.load(ordering: .relaxed))")
                return
            }
            connection.answer("\(connection.discard(Self.size) { received.store($0, ordering: .relaxed) })")
        } _: { server in
            let ahead = Mutex(0)
            let piece = [UInt8](repeating: 0x61, count: 1024 * 1024)
            let source = Pulled { number in
                guard number < 300 else { return nil }
                let now = pulled.add(piece.count, ordering: .relaxed).newValue
                ahead.withLock { $0 = max($0, now - received.load(ordering: .relaxed)) }
                return piece
            }
            async let hang = failure {
                _ = try await client.execute(
                    request(server, .get, "/hang", deadlines: HTTPDeadlines(total: .milliseconds(300)))
                )
            }
            let length = isLengthKnown ? Int64(Self.size) : nil
            let response = try await client.execute(request(server, .put, body: .stream(length: length, source)))
            #expect(try await text(response) == "\(Self.size)")
            #expect(ahead.withLock { $0 } < Self.slack)
            #expect(await hang?.code == .timeoutTotal)
        }
    }

    @Test func bodiesGoBothWaysAtOnce() async throws {
        try await withServer { connection in
            _ = connection.readHead()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while let bytes = connection.readChunk() {
                connection.send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
                if bytes.isEmpty { break }
            }
        } _: { server in
            // Each piece is sent only when the one before has come back.
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            let turns = Turns(stream)
            let source = Pulled { number in
                if number > 0 { await turns.next() }
                return number < 20 ? [UInt8](repeating: UInt8(number), count: 1000) : nil
            }
            let response = try await client.execute(request(server, .post, body: .stream(length: nil, source)))
            var seen: [UInt8] = []
            for try await piece in response.body {
                seen += piece
                if seen.count % 1000 == 0 { continuation.yield() }
            }
            #expect(seen == (0..<20).flatMap { [UInt8](repeating: $0, count: 1000) })
        }
    }

    @Test func responseIsPassedOnAsARequest() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                let isUpload = request.line.hasPrefix("PUT")
                connection.answer(isUpload ? "\(request.body.count)" : String(repeating: "x", count: 700_000))
            }
        } _: { server in
            let download = try await client.execute(request(server)).body
            let upload = request(server, .put, body: .stream(length: 700_000, of: download))
            let seen = try await text(try await client.execute(upload))
            #expect(seen == "700000")
        }
    }

    @Test(arguments: [404, 409, 413, 500])
    func earlyErrorAnswerEndsAnEndlessUpload(status: Int) async throws {
        try await withServer { connection in
            _ = connection.readHead()
            connection.answer("no such container", status: "\(status) No")
            connection.waitForClose()
        } _: { server in
            let source = Pulled { _ in [UInt8](repeating: 0, count: 100_000) }
            let response = try await client.execute(request(server, .put, body: .stream(length: nil, source)))
            #expect(response.status == status)
            #expect(try await text(response) == "no such container")
        }
    }

    @Test(arguments: [nil, 1_000_000] as [Int64?])
    func earlyErrorAnswerEndsAnUploadWhoseSourceWaits(length: Int64?) async throws {
        let isWaiting = Gate()
        let sourceEnded = Atomic(false)
        try await withServer(unix: true) { connection in
            _ = connection.readHead()
            isWaiting.waitOnThread()
            connection.answer("gone", status: "404 Not Found")
            connection.waitForClose()
        } _: { server in
            let source = Pulled { number in
                if number == 0 { return [1] }
                isWaiting.open()
                do { try await Task.sleep(for: .seconds(60)) } catch { sourceEnded.store(true, ordering: .relaxed) }
                throw CancellationError()
            }
            let response = try await client.execute(request(server, .put, body: .stream(length: length, source)))
            // When the caller is back, nobody uses the source any more.
            #expect(sourceEnded.load(ordering: .relaxed) == true)
            #expect(response.status == 404)
            #expect(try await text(response) == "gone")
        }
    }

    @Test func earlyErrorAnswerEndsALargeUploadFromMemory() async throws {
        try await withServer(unix: true) { connection in
            _ = connection.readHead()
            connection.answer("no", status: "409 Conflict")
            connection.waitForClose()
        } _: { server in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0, count: 50_000_000))
            for _ in 0..<20 {
                let response = try await client.execute(request(server, .put, body: body))
                #expect(response.status == 409)
                #expect(try await text(response) == "no")
            }
        }
    }

    @Test func earlyAnswerOfAServerThatClosesAtOnceIsDelivered() async throws {
        try await withServer { connection in
            _ = connection.readHead()
            // The client has filled all buffers by then and waits.
            connection.pause(milliseconds: 20)
            connection.answer("no", status: "403 Forbidden")
        } _: { server in
            let body = HTTPRequestBody.bytes([UInt8](repeating: 0, count: 50_000_000))
            for _ in 0..<20 {
                let response = try await client.execute(request(server, .put, body: body))
                #expect(response.status == 403)
                #expect(try await text(response) == "no")
            }
        }
    }

    @Test func failingSourceFailsTheRequest() async throws {
        struct DiskBroken: Error {}
        try await withServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        } _: { server in
            for length in [nil, 5] as [Int64?] {
                let source = Pulled { number in
                    if number == 1 { throw DiskBroken() }
                    return [1]
                }
                let error = await failure {
                    _ = try await client.execute(request(server, .put, body: .stream(length: length, source)))
                }
                #expect(error?.code == .bodyFailed)
                #expect(error?.cause is DiskBroken)
            }
        }
    }

    @Test(arguments: [1, 3])
    func sourceOfAnotherLengthFailsTheRequest(pieces: Int) async throws {
        let complete = Atomic(0)
        try await withServer { connection in
            if connection.readRequest() != nil { complete.add(1, ordering: .relaxed) }
        } _: { server in
            let source = Pulled { $0 < pieces ? [1, 2, 3, 4] : nil }
            let error = await failure {
                _ = try await client.execute(request(server, .put, body: .stream(length: 10, source)))
            }
            #expect(error?.code == .bodyFailed)
            #expect(error?.message.contains("10 bytes announced") == true)
            #expect(complete.load(ordering: .relaxed) == 0)
        }
    }

    @Test func sourceIsNotTouchedWhenNobodyAnswers() async throws {
        let pulls = Atomic(0)
        let source = Pulled { _ in
            pulls.add(1, ordering: .relaxed)
            return nil
        }
        let error = await failure {
            _ = try await client.execute(
                HTTPRequest(method: .put, url: "http://d/", unixSocket: "/nowhere", body: .stream(length: nil, source))
            )
        }
        #expect(error?.code == .refused)
        #expect(pulls.load(ordering: .relaxed) == 0)
    }
}

/// The elements of a stream one by one, for one caller at a time.
actor Turns {
    private var iterator: AsyncStream<Void>.Iterator

    init(_ stream: AsyncStream<Void>) {
        iterator = stream.makeAsyncIterator()
    }

    func next() async {
        var own = iterator
        await own.next(isolation: self)
        iterator = own
    }
}
