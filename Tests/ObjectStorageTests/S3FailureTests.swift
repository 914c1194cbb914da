import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing
import Util

@testable import ObjectStorage

/// What servers and networks do wrong, played by a fake.
@Suite(.timeLimit(.minutes(1))) struct S3FailureTests {
    private let client = HTTPClient()

    private func with<Result>(
        attempts: Int = 3,
        partSize: Int64 = 8 << 20,
        _ script: @escaping @Sendable (Int, FakeS3.Request) -> FakeS3.Answer,
        _ body: (S3ObjectStorage, FakeS3) async throws -> Result
    ) async throws -> Result {
        let fake = try FakeS3(script)
        defer { fake.stop() }
        let configuration = try S3Configuration(
            endpoint: fake.endpoint,
            accessKey: "access-name",
            secretKey: "secret-value",
            bucket: "bucket"
        )
        let options = S3Options(
            partSize: partSize,
            attempts: attempts,
            backoff: try Backoff(initial: .milliseconds(1), maximum: .milliseconds(2)),
            deadlines: HTTPDeadlines(connect: .seconds(5), idle: .milliseconds(300))
        )
        let storage = S3ObjectStorage(
            configuration,
            client: client,
            executor: try BlockingExecutor(name: "objects"),
            options: options
        )
        return try await body(storage, fake)
    }

    private static let passing: [FakeS3.Answer] = [
        .error(500, "InternalError"), .error(503, "SlowDown"), .error(503, "ServiceUnavailable"), .text(502, "<html>"),
        .text(504, ""), .text(429, "slow"), .error(400, "RequestTimeout"), .reset(after: []), .bytes([]),
        .reset(after: Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"x\"\r\n\r\nhalf".utf8)),
        .bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"x\"\r\n\r\nhalf".utf8)), .silence,
    ]

    @Test(arguments: passing.indices) func whatPassesIsTriedAgain(_ index: Int) async throws {
        let folder = try TemporaryFolder()
        try await with({ number, _ in number < 2 ? Self.passing[index] : .object([1, 2, 3]) }) { storage, fake in
            let info = try await storage.get("k", to: folder.file("x"), limit: 1000)
            #expect(info.size == 3)
            #expect(fake.requests.count == 3)
        }
        #expect(try names(in: folder) == ["x"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("x"))) == Data([1, 2, 3]))
    }

    @Test(arguments: passing.indices) func whatDoesNotPassIsUnavailableAndLeavesNothing(_ index: Int) async throws {
        let folder = try TemporaryFolder()
        try await with({ _, _ in Self.passing[index] }) { storage, fake in
            let error = await #expect(throws: ObjectStorageError.self) {
                try await storage.get("k", to: folder.file("x"), limit: 1000)
            }
            #expect([.unavailable, .truncated].contains(error?.code))
            #expect(error?.isRetryable == true)
            #expect(error?.message.contains(fake.endpoint) == true)
            #expect(fake.requests.count == 3)
        }
        #expect(try names(in: folder) == [])
    }

    @Test(arguments: [
        (403, "AccessDenied", ObjectStorageError.Code.denied), (403, "SignatureDoesNotMatch", .denied),
        (403, "InvalidAccessKeyId", .denied), (403, "RequestTimeTooSkewed", .clockSkew), (404, "NoSuchKey", .notFound),
        (404, "NoSuchBucket", .noBucket), (400, "XMinioInvalidObjectName", .invalidKey),
        (400, "EntityTooLarge", .tooLarge),
        (501, "NotImplemented", .refused), (400, "MadeUp", .refused), (301, "PermanentRedirect", .refused),
    ])
    func whatServersRefuseIsToldAtOnce(_ status: Int, _ code: String, _ expected: ObjectStorageError.Code) async throws
    {
        let message = "you are access-name with secret-value,\nline two\u{1B}[0m"
        try await with({ _, _ in .error(status, code, message.replacing("\u{1B}", with: "&#27;")) }) { storage, fake in
            let error = await #expect(throws: ObjectStorageError.self) { try await storage.getBytes("k", limit: 10) }
            #expect(error?.code == expected)
            #expect(error?.isRetryable == false)
            #expect(fake.requests.count == 1)
            let text = error?.message ?? ""
            #expect(text.contains(code) && text.contains("\(status)") && text.contains("you are"))
            #expect(!text.contains("secret-value") && !text.contains("access-name"))
            #expect(!text.contains("\n") && !text.contains("\u{1B}"))
        }
    }

    private static let garbage: [FakeS3.Answer] = [
        .text(200, "<html>welcome</html>"), .text(200, "", ["ETag: x"]), .text(404, "<html>not here</html>"),
        .text(404, ""),
        .text(200, "<Other></Other>"), .text(200, "<ListBucketResult>"), .text(418, "teapot"),
        .bytes(Array("SSH-2.0-x\r\n".utf8)),
        .text(200, "<ListBucketResult></ListBucketResult>"),
        .text(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        .text(
            200,
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>"
        ),
    ]

    @Test(arguments: garbage.indices) func garbageIsNeitherAnEmptyBucketNorAMissingObject(_ index: Int) async throws {
        try await with({ _, _ in Self.garbage[index] }) { storage, _ in
            let error = await #expect(throws: ObjectStorageError.self) { try await storage.list(prefix: "") }
            #expect(error?.code == .unexpectedAnswer || error?.code == .refused)
            let second = await #expect(throws: ObjectStorageError.self) { try await storage.check() }
            #expect(second?.code == error?.code)
        }
    }

    @Test func aWebServerIsNotTakenForAnObjectStore() async throws {
        for status in [200, 404] {
            try await with({ _, _ in .text(status, "<html>hello</html>") }) { storage, _ in
                for call in [
                    { _ = try await storage.info("k") }, { _ = try await storage.getBytes("k", limit: 100) },
                ] {
                    let error = await #expect(throws: ObjectStorageError.self) { try await call() }
                    #expect(error?.code == .unexpectedAnswer)
                }
            }
        }
    }

    @Test func aListingThatGoesInCirclesEnds() async throws {
        let page = """
            <ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>
            <Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>
            """
        try await with({ _, _ in .text(200, page) }) { storage, fake in
            let error = await #expect(throws: ObjectStorageError.self) { try await storage.list(prefix: "") }
            #expect(error?.code == .unexpectedAnswer)
            #expect(fake.requests.count == 2)
        }
    }

    @Test func aListingIsReadPageByPage() async throws {
        let pages = [
            """
            <ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <NextContinuationToken>to/ken+1=</NextContinuationToken>
            <Contents><Key>b+c%2B%25%0A</Key><Size>2</Size><ETag>"e"</ETag></Contents></ListBucketResult>
            """,
            """
            <ListBucketResult><IsTruncated>false</IsTruncated>
            <Contents><Key>a+%2B&amp;</Key><Size>1</Size></Contents></ListBucketResult>
            """,
        ]
        try await with({ number, _ in .text(200, pages[number]) }) { storage, fake in
            let listed = try await storage.list(prefix: "")
            #expect(
                listed == [
                    ObjectInfo(key: "a+%2B&", size: 1, etag: ""), ObjectInfo(key: "b c+%\n", size: 2, etag: "e"),
                ]
            )
            #expect(fake.requests[1].target.contains("continuation-token=to%2Fken%2B1%3D"))
        }
    }

    @Test func aBodyThatNeverEndsIsCutAtTheLimit() async throws {
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\nETag: \"x\"\r\n\r\n".utf8)
        try await with({ _, _ in .bytes(answer) }) { storage, fake in
            let error = await #expect(throws: ObjectStorageError.self) { try await storage.getBytes("k", limit: 10) }
            #expect(error?.code == .tooLarge)
            #expect(fake.requests.count == 1)
        }
    }

    @Test func cancellationEndsAWaitAtOnce() async throws {
        try await with({ _, _ in .silence }) { storage, fake in
            let task = Task { try await storage.getBytes("k", limit: 10) }
            while fake.requests.isEmpty { await Task.yield() }
            task.cancel()
            let error = await #expect(throws: ObjectStorageError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.isRetryable == false)
        }
    }
}
