import Foundation
import HTTP
import TestSupport
import Testing
import Util

@testable import ObjectStorage

@Suite(.timeLimit(.minutes(1))) struct ObjectLinkTests {
    private let client = HTTPClient()
    private let folder: TemporaryFolder
    private static let secret = "X-Amz-Date=20261127T100000Z&X-Amz-Expires=3600&X-Amz-Signature=0123456789abcdef"

    init() throws { folder = try TemporaryFolder() }

    /// Reads through a link to a fake, at a quarter of an hour past ten on the day the link was made.
    private func get(
        _ query: String = secret,
        at time: String = "2026-11-27T10:15:00Z",
        limit: Int64 = 100,
        sha256: String? = nil,
        _ script: @escaping @Sendable (Int, FakeS3.Request) -> FakeS3.Answer
    ) async throws -> (result: Result<Int64, ObjectStorageError>, requests: [FakeS3.Request]) {
        let fake = try FakeS3(script)
        defer { fake.stop() }
        let now = try RFC3339.parse(time)
        let reader = ObjectLinkReader(
            client: client,
            executor: try BlockingExecutor(name: "links"),
            options: S3Options(
                attempts: 3,
                backoff: try Backoff(initial: .milliseconds(1), maximum: .milliseconds(2)),
                deadlines: HTTPDeadlines(connect: .seconds(5), idle: .milliseconds(300))
            ),
            now: { now }
        )
        let link = try ObjectLink(url: "http://\(fake.endpoint)/the-bots/key%20name?\(query)")
        do throws(ObjectStorageError) {
            let size = try await reader.get(link, to: folder.file("x"), limit: limit, sha256: sha256)
            return (.success(size), fake.requests)
        } catch {
            for text in ["\(error)", error.message, String(reflecting: link), "\(link)"] {
                for part in ["Signature", "0123456789abcdef", "the-bots", "key%20name"] {
                    #expect(!text.contains(part), "\(text)")
                }
            }
            #expect(error.message.contains(fake.endpoint))
            // An earlier success may have left its file, but nothing is half there.
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.allSatisfy { $0 == "x" })
            return (.failure(error), fake.requests)
        }
    }

    private func failure(_ result: Result<Int64, ObjectStorageError>) throws -> ObjectStorageError {
        try #require(throws: ObjectStorageError.self) { try result.get() }
    }

    @Test func anObjectIsReadWithoutCredentials() async throws {
        let (result, requests) = try await get { _, _ in .object([1, 2, 3]) }
        #expect(try result.get() == 3)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("x"))) == Data([1, 2, 3]))
        #expect(requests.map(\.target) == ["/the-bots/key%20name?\(Self.secret)"])
        #expect(requests[0].head.range(of: "authorization", options: .caseInsensitive) == nil)
    }

    @Test(arguments: [
        FakeS3.Answer.error(500, "InternalError"), .error(503, "SlowDown"), .text(502, "<html>"), .reset(after: []),
        .bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".utf8)), .silence,
    ])
    func whatPassesIsTriedAgain(_ answer: FakeS3.Answer) async throws {
        let (result, requests) = try await get { number, _ in number < 2 ? answer : .object([1]) }
        #expect(try result.get() == 1)
        #expect(requests.count == 3)
        let (never, all) = try await get { _, _ in answer }
        #expect(try failure(never).isRetryable)
        #expect(all.count == 3)
    }

    @Test func aLinkThatHasExpiredIsSaidToHave() async throws {
        for answer in [FakeS3.Answer.error(403, "AccessDenied", "Request has expired"), .text(403, "")] {
            let (result, requests) = try await get(at: "2026-11-27T11:00:01Z") { _, _ in answer }
            let error = try failure(result)
            #expect(error.code == .denied && !error.isRetryable)
            #expect(error.message.contains("status 403") && error.message.contains("expired at 2026-11-27T11:00:00Z"))
            #expect(requests.count == 1)
            // By this clock it hasn't.
            let valid = try failure(try await get { _, _ in answer }.result)
            #expect(valid.message.contains("valid until 2026-11-27T11:00:00Z"))
            let unknown = try failure(try await get("key=1") { _, _ in answer }.result)
            #expect(unknown.message.contains("has probably expired"))
        }
    }

    @Test func whatIsNotThereIsToldFromWhatIsNoObjectStore() async throws {
        #expect(try failure(try await get { _, _ in .error(404, "NoSuchKey") }.result).code == .notFound)
        #expect(try failure(try await get { _, _ in .error(404, "NoSuchBucket") }.result).code == .noBucket)
        #expect(try failure(try await get { _, _ in .text(404, "<html>") }.result).code == .unexpectedAnswer)
        let moved = try failure(try await get { _, _ in .whole(status: 302, headers: ["Location: http://x/"]) }.result)
        #expect(moved.code == .unexpectedAnswer && moved.message.contains("status 302"))
        let endless = try await get { _, _ in .bytes(Array("HTTP/1.1 200 OK\r\n\r\nabc".utf8)) }
        #expect(try failure(endless.result).message.contains("Content-Length"))
    }

    @Test func aServersWordsAreNotRepeated() async throws {
        let echo = try failure(try await get { _, request in .error(403, request.target, request.target) }.result)
        #expect(echo.code == .denied)
    }

    @Test func sizeAndDigestAreHeldTo() async throws {
        let large = try await get(limit: 2) { _, _ in .object([1, 2, 3]) }
        #expect(try failure(large.result).code == .tooLarge)
        #expect(large.requests.count == 1)
        let digest = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
        let other = try failure(try await get(sha256: String(digest.reversed())) { _, _ in .object([1, 2, 3]) }.result)
        #expect(other.code == .changed && other.message.contains(digest))
        #expect(try await get(sha256: digest) { _, _ in .object([1, 2, 3]) }.result.get() == 3)
    }

    @Test(arguments: [
        "", "ftp://h/x", "h/x", "http://", "http:///x", "http://user:pw-in-url@h/x", "http://h/a b", "http://h/ü",
        "http://h/x#y", "http://h/\nx", "HTTP//h", "http://h/" + String(repeating: "x", count: 8192),
    ])
    func whatIsNoLinkIsRefused(_ url: String) {
        let error = #expect(throws: ObjectStorageError.self) { try ObjectLink(url: url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("pw-in-url") == false)
    }

    @Test func authoritiesAreForHTTPSAndCertificates() throws {
        let pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
        #expect(try ObjectLink(url: "https://h/x", authorities: pem).authorities == pem)
        for (url, authorities) in [("http://h/x", pem), ("https://h/x", "x")] {
            #expect(throws: ObjectStorageError.self) { try ObjectLink(url: url, authorities: authorities) }
        }
    }

    @Test(arguments: [
        ("X-Amz-Date=20261127T100000Z&X-Amz-Expires=604800", "2026-12-04T10:00:00Z"),
        ("X-Amz-Expires=60&y=1&X-Amz-Date=20260101T000000Z", "2026-01-01T00:01:00Z"),
    ])
    func itsEndIsReadFromIt(_ query: String, _ end: String) throws {
        #expect(try ObjectLink(url: "http://h/x?\(query)").expiresAt == RFC3339.parse(end))
    }

    @Test(arguments: [
        "", "X-Amz-Date=20261127T100000Z", "X-Amz-Expires=60", "X-Amz-Date=2026&X-Amz-Expires=60",
        "X-Amz-Date=20261127T100000Z&X-Amz-Expires=-1", "X-Amz-Date=20261127T100000Z&X-Amz-Expires=9999999999",
        "X-Amz-Date=20269999T999999Z&X-Amz-Expires=60", "X-Amz-Date=ABCDEFGHIJKLMNOP&X-Amz-Expires=60",
    ])
    func anEndThatMakesNoSenseIsNone(_ query: String) throws {
        #expect(try ObjectLink(url: "http://h/x?\(query)").expiresAt == nil)
    }
}
