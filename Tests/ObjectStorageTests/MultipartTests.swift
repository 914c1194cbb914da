import Foundation
import HTTP
import ObjectStorage
import TestSupport
import Testing
import Util

@Suite(.timeLimit(.minutes(1))) struct MultipartTests {
    private let client = HTTPClient()
    private let folder: TemporaryFolder
    private let source: String

    init() throws {
        folder = try TemporaryFolder()
        source = folder.file("source")
        try Data(pattern(2_500)).write(to: URL(fileURLWithPath: source))
    }

    /// A server that takes parts, but for what `fault` answers instead.
    private func upload(
        _ fault: @escaping @Sendable (Int, FakeS3.Request) -> FakeS3.Answer?
    ) async throws -> (error: ObjectStorageError?, requests: [FakeS3.Request]) {
        let fake = try FakeS3 { number, request in
            if let answer = fault(number, request) { return answer }
            switch (request.method, request.target) {
            case ("POST", let target) where target.contains("uploads"):
                return .text(
                    200,
                    "<InitiateMultipartUploadResult><UploadId>up&amp;1</UploadId></InitiateMultipartUploadResult>"
                )
            case ("PUT", let target): return .text(200, "", ["ETag: \"\(target.suffix(20))\""])
            case ("POST", _): return .text(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
            case ("HEAD", _):
                return .whole(status: 200, headers: ["ETag: \"x\""], body: [UInt8](repeating: 0, count: 2_500))
            default: return .text(204, "")
            }
        }
        defer { fake.stop() }
        let storage = S3ObjectStorage(
            try S3Configuration(endpoint: fake.endpoint, accessKey: "a", secretKey: "s", bucket: "bucket"),
            client: client,
            executor: try BlockingExecutor(name: "objects"),
            options: S3Options(partSize: 1_000, attempts: 2, backoff: try Backoff(initial: .milliseconds(1)))
        )
        do {
            try await storage.put("key", file: source)
            return (nil, fake.requests)
        } catch {
            return (error, fake.requests)
        }
    }

    @Test func partsCarryTheWholeFile() async throws {
        let (error, requests) = try await upload { _, _ in nil }
        #expect(error == nil)
        #expect(requests.map(\.method) == ["POST", "PUT", "PUT", "PUT", "POST"])
        #expect(Array(requests[1...3].map(\.body).joined()) == pattern(2_500))
        #expect(requests[3].target == "/bucket/key?partNumber=3&uploadId=up%261")
        let list = String(decoding: requests[4].body, as: UTF8.self)
        #expect(list.contains("<Part><PartNumber>3</PartNumber><ETag>"))
    }

    @Test func aPartThatFailsOnceIsSentAgain() async throws {
        let (error, requests) = try await upload { number, _ in number == 2 ? .error(500, "InternalError") : nil }
        #expect(error == nil)
        #expect(requests.map(\.method) == ["POST", "PUT", "PUT", "PUT", "PUT", "POST"])
    }

    @Test func anUploadThatFailsIsAborted() async throws {
        for method in ["PUT", "POST"] {
            let (error, requests) = try await upload { number, request in
                number > 0 && request.method == method ? .error(403, "AccessDenied") : nil
            }
            #expect(error?.code == .denied)
            #expect(requests.last?.method == "DELETE")
            #expect(requests.last?.target == "/bucket/key?uploadId=up%261")
        }
    }

    @Test func anErrorAfterA200IsAnError() async throws {
        let (error, requests) = try await upload { number, request in
            number > 0 && request.method == "POST" ? .error(200, "InternalError") : nil
        }
        #expect(error?.code == .unavailable)
        #expect(requests.last?.method == "DELETE")
    }

    @Test func aLostAnswerToTheLastStepIsLookedUp() async throws {
        let (error, requests) = try await upload { number, request in
            switch (number, request.method) {
            case (4, "POST"): .reset(after: [])
            case (5, "POST"): .error(404, "NoSuchUpload")
            default: nil
            }
        }
        #expect(error == nil)
        #expect(requests.map(\.method) == ["POST", "PUT", "PUT", "PUT", "POST", "POST", "HEAD"])
    }

    @Test func anUploadIsBegunOnceUnlessTheServerSaidNo() async throws {
        let (lost, requests) = try await upload { number, _ in number == 0 ? .reset(after: []) : nil }
        #expect(lost?.code == .unavailable)
        #expect(requests.count == 1)
        let (none, others) = try await upload { number, _ in number == 0 ? .error(503, "SlowDown") : nil }
        #expect(none == nil)
        #expect(others.count == 6)
    }

    @Test func aCancelledUploadIsAborted() async throws {
        let fake = try FakeS3 { _, request in
            switch request.method {
            case "POST": .text(200, "<R><UploadId>up</UploadId></R>")
            case "PUT": .silence
            default: .text(204, "")
            }
        }
        defer { fake.stop() }
        let storage = S3ObjectStorage(
            try S3Configuration(endpoint: fake.endpoint, accessKey: "a", secretKey: "s", bucket: "bucket"),
            client: client,
            executor: try BlockingExecutor(name: "objects"),
            options: S3Options(partSize: 1_000)
        )
        let task = Task { [source] in try await storage.put("key", file: source) }
        while fake.requests.count < 2 { await Task.yield() }
        task.cancel()
        let error = await #expect(throws: ObjectStorageError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(fake.requests.last?.method == "DELETE")
    }
}
