import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing
import Util

@testable import ObjectStorage

/// A fake that keeps one object and joins parts, copies among them, as S3 does.
final class GrowingS3: Sendable {
    struct State {
        var object: [UInt8]?
        var version = 0
        var parts: [Int: [UInt8]] = [:]
        var received = 0
        var deleted: [String] = []
        var requests = 0
        /// Answers instead, by how many requests came before; true does what was asked all the same.
        var fault: (@Sendable (Int, FakeS3.Request) -> (answer: FakeS3.Answer, takesEffect: Bool)?)?
    }

    let state = Mutex(State())

    var etag: String { state.withLock { "v\($0.version)" } }

    func answer(_ request: FakeS3.Request) -> FakeS3.Answer {
        state.withLock { state in
            defer { state.requests += 1 }
            state.received += request.body.count
            let fault = state.fault?(state.requests, request)
            if let fault, !fault.takesEffect { return fault.answer }
            let answer = Self.work(request, &state)
            return fault?.answer ?? answer
        }
    }

    private static func header(_ request: FakeS3.Request, _ name: String) -> String? {
        request.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    private static func work(_ request: FakeS3.Request, _ state: inout State) -> FakeS3.Answer {
        let tag = "\"v\(state.version)\""
        if let condition = header(request, "if-match") ?? header(request, "x-amz-copy-source-if-match"),
            condition != tag || state.object == nil
        {
            return .error(412, "PreconditionFailed")
        }
        if header(request, "if-none-match") == "*", state.object != nil { return .error(412, "PreconditionFailed") }
        let part = request.target.split(separator: "?").last.flatMap { query in
            query.split(separator: "&").first { $0.hasPrefix("partNumber=") }.flatMap { Int($0.dropFirst(11)) }
        }
        func range(_ text: String?) -> Range<Int>? {
            guard let bounds = text?.split(separator: "=").last?.split(separator: "-").compactMap({ Int($0) }),
                bounds.count == 2
            else { return nil }
            return bounds[0]..<(bounds[1] + 1)
        }
        switch request.method {
        case "GET" where request.target.contains("uploads="):
            let keys = ["k", "k2", "k"].enumerated().map {
                "<Upload><Key>\($1)</Key><UploadId>up\($0)</UploadId></Upload>"
            }
            return .text(200, "<ListMultipartUploadsResult>\(keys.joined())</ListMultipartUploadsResult>")
        case "DELETE":
            state.deleted.append(request.target)
            return .text(204, "")
        case "HEAD", "GET":
            guard let object = state.object else { return .error(404, "NoSuchKey") }
            guard let range = range(header(request, "range")) else {
                return .whole(status: 200, headers: ["ETag: \(tag)"], body: object)
            }
            let place = "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(object.count)"
            return .whole(status: 206, headers: ["ETag: \(tag)", place], body: Array(object[range]))
        case "PUT":
            guard let part else {
                state.object = request.body
                state.version += 1
                return .text(200, "", ["ETag: \"v\(state.version)\""])
            }
            guard header(request, "x-amz-copy-source") != nil else {
                state.parts[part] = request.body
                return .text(200, "", ["ETag: \"p\(part)\""])
            }
            guard let range = range(header(request, "x-amz-copy-source-range")), let object = state.object else {
                return .error(400, "InvalidArgument")
            }
            state.parts[part] = Array(object[range])
            return .text(200, "<CopyPartResult><ETag>\"p\(part)\"</ETag></CopyPartResult>")
        case "POST" where request.target.hasSuffix("uploads="):
            state.parts = [:]
            return .text(200, "<R><UploadId>up</UploadId></R>")
        case "POST":
            var object: [UInt8] = []
            for part in state.parts.sorted(by: { $0.key < $1.key }) { object += part.value }
            state.object = object
            state.version += 1
            return .text(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
        default: return .text(204, "")
        }
    }
}

@Suite(.timeLimit(.minutes(2))) struct S3AppendTests {
    private let client = HTTPClient()

    private func with(
        copySize: Int64 = 256 << 20,
        _ body: (S3ObjectStorage, GrowingS3) async throws -> Void
    ) async throws {
        let server = GrowingS3()
        let fake = try FakeS3 { _, request in server.answer(request) }
        defer { fake.stop() }
        let storage = S3ObjectStorage(
            try S3Configuration(endpoint: fake.endpoint, accessKey: "a", secretKey: "s", bucket: "bucket"),
            client: client,
            executor: try BlockingExecutor(name: "objects"),
            options: S3Options(
                copySize: copySize,
                attempts: 3,
                backoff: try Backoff(initial: .milliseconds(1), maximum: .milliseconds(2)),
                deadlines: HTTPDeadlines(connect: .seconds(5), idle: .seconds(20))
            )
        )
        try await body(storage, server)
    }

    @Test func f22CostGrowsWithWhatIsNew() async throws {
        try await with { storage, server in
            server.state.withLock { $0.object = pattern(50 << 20) }
            for _ in 0..<100 {
                let base = try #require(try await storage.info("k"))
                try await storage.append(to: "k", base: base, bytes: pattern(1_000), contentType: "text/plain")
            }
            let state = server.state.withLock { ($0.received, $0.requests, $0.object?.count) }
            #expect(state.2 == (50 << 20) + 100_000)
            // Beside the lines only lists of two parts.
            #expect(state.0 < 100_000 + 100 * 400)
            #expect(state.1 == 100 * 5)
        }
    }

    @Test func aLargeObjectIsCopiedInPiecesThatAreNeverTooSmall() async throws {
        try await with(copySize: 6 << 20) { storage, server in
            for size in [5 << 20, (6 << 20) + 1, (12 << 20) - 1, 33 << 20] {
                let content = pattern(size)
                server.state.withLock { $0.object = content }
                let base = try #require(try await storage.info("k"))
                try await storage.append(to: "k", base: base, bytes: [1, 2, 3], contentType: "text/plain")
                let (object, parts) = server.state.withLock { ($0.object, $0.parts) }
                #expect(object == content + [1, 2, 3])
                #expect(parts.values.filter { $0.count != 3 }.allSatisfy { $0.count >= 5 << 20 })
            }
        }
    }

    /// Every request of an addition in turn gets every bad answer: the object is the old one or the new one, never another.
    @Test(arguments: [100, 6 << 20])
    func f21WhateverAnswerFailsNothingIsShortened(_ size: Int) async throws {
        let answers: [FakeS3.Answer] = [
            .error(500, "InternalError"), .error(403, "AccessDenied"), .error(404, "NoSuchKey"), .text(404, ""),
            .error(200, "InternalError"), .reset(after: []), .text(502, "<html>"), .text(200, ""),
        ]
        try await with { storage, server in
            let old = pattern(size)
            for step in 0..<6 {
                for answer in answers {
                    for takesEffect in [false, true] {
                        server.state.withLock { state in
                            state.object = old
                            state.version += 1
                            state.fault = nil
                        }
                        let base = try #require(try await storage.info("k"))
                        server.state.withLock { state in
                            state.requests = 0
                            state.fault = { number, request in
                                // A plain PUT is believed when its status says it was done.
                                let isPlain = request.method == "PUT" && !request.target.contains("partNumber")
                                if isPlain, case .whole(200, _, _) = answer { return nil }
                                return number >= step ? (answer, takesEffect) : nil
                            }
                        }
                        let error: ObjectStorageError?
                        do throws(ObjectStorageError) {
                            try await storage.append(to: "k", base: base, bytes: [1], contentType: "text/plain")
                            error = nil
                        } catch let failure { error = failure }
                        let object = server.state.withLock { $0.object }
                        #expect(object == old || object == old + [1], "\(step) \(answer)")
                        if error == nil { #expect(object == old + [1], "\(step) \(answer)") }
                    }
                }
            }
        }
    }

    @Test func whatUploadsHaveLeftIsDiscardedOfOneKeyOnly() async throws {
        try await with { storage, server in
            try await storage.discardUnfinished("k")
            #expect(server.state.withLock { $0.deleted } == ["/bucket/k?uploadId=up0", "/bucket/k?uploadId=up2"])
        }
    }

    @Test func aServerThatAnswersAnotherPartIsNotBelieved() async throws {
        try await with { storage, server in
            server.state.withLock { $0.object = pattern(100) }
            let base = try #require(try await storage.info("k"))
            let tag = "ETag: \"\(server.etag)\""
            let wrong: [FakeS3.Answer] = [
                .whole(status: 200, headers: [tag], body: pattern(100)),
                .whole(status: 206, headers: [tag, "Content-Range: bytes 11-20/100"], body: pattern(10)),
                .whole(status: 206, headers: [tag, "Content-Range: bytes 10-19/99"], body: pattern(10)),
                .whole(status: 206, headers: [tag, "Content-Range: bytes 10-19/100"], body: pattern(9)),
                .whole(status: 206, headers: [tag], body: pattern(10)),
            ]
            for answer in wrong {
                server.state.withLock { $0.fault = { _, _ in (answer, false) } }
                let error = await #expect(throws: ObjectStorageError.self) { try await storage.read(10..<20, of: base) }
                #expect(error?.code == .unexpectedAnswer)
            }
        }
    }
}
