import Foundation
import HTTP
import TestSupport
import Testing
import Util

@testable import ObjectStorage

/// Against SeaweedFS in MinIO's place.
@Suite struct S3Integration {
    private let server: S3Server
    private let storage: S3ObjectStorage
    private let client = HTTPClient()
    private let executor: BlockingExecutor

    init() async throws {
        server = try await S3Server.shared()
        executor = try BlockingExecutor(name: "objects")
        storage = S3ObjectStorage(try server.configuration(), client: client, executor: executor)
        try await storage.createBucket()
    }

    @Test(arguments: StorageContract.allCases) func keepsTheContract(_ contract: StorageContract) async throws {
        // SeaweedFS keeps a key's last component as a file's name.
        try await contract.check(storage, longest: 255)
    }

    @Test func listsPastAPage() async throws {
        let prefix = "pages-\(UInt32.random(in: 0 ... .max))/"
        let storage = storage
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask {
                    for number in stride(from: worker, to: 1_100, by: 16) {
                        try await storage.put(prefix + "\(10_000 + number)", bytes: [1], contentType: "text/plain")
                    }
                }
            }
            try await group.waitForAll()
        }
        let listed = try await storage.list(prefix: prefix)
        #expect(listed.map(\.key) == (0..<1_100).map { prefix + "\(10_000 + $0)" })
    }

    @Test func aFailedUploadLeavesNoParts() async throws {
        let folder = try TemporaryFolder()
        try Data(pattern(12 << 20)).write(to: URL(fileURLWithPath: folder.file("source")))
        let key = "cut-\(UInt32.random(in: 0 ... .max))"
        let storage = storage
        // Becomes shorter once the first part has been read.
        let source = try #require(try SourceFile(path: folder.file("source")))
        #expect(truncate(folder.file("source"), 9 << 20) == 0)
        let error = await #expect(throws: ObjectStorageError.self) { try await storage.putInParts(key, source) }
        #expect(error?.code == .localFile)
        #expect(try await storage.info(key) == nil)
        let uploads = try await storage.xml(of: try await storage.send(S3Request(.get, query: [S3Query("uploads")])))
        #expect(uploads.children.filter { $0.name == "Upload" && $0.text(of: "Key") == key }.isEmpty)
    }

    @Test func whatUploadsHaveLeftIsDiscardedOfOneKeyOnly() async throws {
        let key = "left/ü \(UInt32.random(in: 0 ... .max))"
        for name in [key, key, key + "2"] {
            _ = try await storage.send(S3Request(.post, key: name, query: [S3Query("uploads")]))
        }
        func uploads() async throws -> [String] {
            let list = try await storage.xml(of: try await storage.send(S3Request(.get, query: [S3Query("uploads")])))
            return list.children.filter { $0.name == "Upload" }.compactMap { $0.text(of: "Key") }
                .filter { $0.hasPrefix(key) }
        }
        #expect(try await uploads().count == 3)
        try await storage.discardUnfinished(key)
        #expect(try await uploads() == [key + "2"])
        try await storage.discardUnfinished(key + "2")
    }

    @Test func aPresignedURLNeedsNoCredentials() async throws {
        let key = "presigned ü+%/é?x#y-\(UInt32.random(in: 0 ... .max))"
        try await storage.put(key, bytes: Array("hello".utf8), contentType: "text/plain")
        let url = try storage.presignedURL(key, expires: .seconds(60))
        let response = try await client.execute(HTTPRequest(url: url))
        #expect(response.status == 200)
        #expect(try await response.body.collect(upTo: 100) == Array("hello".utf8))
        let forged = try await client.execute(HTTPRequest(url: url.dropLast() + (url.last == "0" ? "1" : "0")))
        #expect(forged.status == 403)
        for expires in [Duration.zero, .seconds(604_801)] {
            #expect(throws: ObjectStorageError.self) { try storage.presignedURL(key, expires: expires) }
        }
    }

    @Test func linksThatHaveExpiredAndObjectsThatAreNotThereAreTold() async throws {
        let folder = try TemporaryFolder()
        let reader = ObjectLinkReader(client: client, executor: executor)
        let past = S3ObjectStorage(
            try server.configuration(),
            client: client,
            executor: executor,
            now: { Timestamp.now.advanced(by: .seconds(-3600)) }
        )
        let key = "expired-\(UInt32.random(in: 0 ... .max))"
        try await storage.put(key, bytes: [1], contentType: "text/plain")
        for (url, code) in [
            (try past.presignedURL(key, expires: .seconds(1800)), ObjectStorageError.Code.denied),
            (try storage.presignedURL(key + "-not-there", expires: .seconds(60)), .notFound),
        ] {
            let error = await #expect(throws: ObjectStorageError.self) {
                try await reader.get(ObjectLink(url: url), to: folder.file("x"), limit: 10)
            }
            #expect(error?.code == code)
            #expect(error?.message.contains(key) == false)
        }
    }

    @Test func wrongCredentialsAreDeniedAndNotShown() async throws {
        for (access, secret) in [("the0-access", "not-the-secret"), ("nobody-here", "not-the-secret")] {
            let other = S3ObjectStorage(
                try server.configuration(accessKey: access, secretKey: secret),
                client: client,
                executor: executor
            )
            for call in Self.calls(other) {
                let error = await #expect(throws: ObjectStorageError.self) { try await call() }
                #expect(error?.code == .denied)
                #expect(error?.isRetryable == false)
                for text in ["\(error as Any)", error?.message ?? ""] {
                    #expect(!text.contains(access) && !text.contains(secret), "\(text)")
                }
            }
        }
    }

    @Test func aMissingBucketIsNoEmptyOne() async throws {
        let other = S3ObjectStorage(
            try server.configuration(bucket: "not-there-\(UInt32.random(in: 0 ... .max))"),
            client: client,
            executor: executor
        )
        for call in Self.calls(other) {
            let error = await #expect(throws: ObjectStorageError.self) { try await call() }
            #expect(error?.code == .noBucket)
        }
    }

    @Test func aWrongClockIsNamed() async throws {
        let other = S3ObjectStorage(
            try server.configuration(),
            client: client,
            executor: executor,
            now: { Timestamp.now.advanced(by: .seconds(-86_400)) }
        )
        let error = await #expect(throws: ObjectStorageError.self) { try await other.check() }
        #expect(error?.code == .clockSkew)
        #expect(error?.message.contains("clock") == true)
    }

    static func calls(_ storage: S3ObjectStorage) -> [@Sendable () async throws -> Void] {
        [
            { try await storage.check() },
            { _ = try await storage.info("a") },
            { _ = try await storage.getBytes("a", limit: 1) },
            { _ = try await storage.list(prefix: "") },
        ]
    }
}

/// Each with a server of its own, which fails.
@Suite struct S3OutageIntegration {
    @Test func aServerThatIsGoneOrHangsIsUnavailableAndHeals() async throws {
        let server = try await S3Server.start()
        let options = S3Options(
            attempts: 2,
            backoff: try Backoff(initial: .milliseconds(10)),
            deadlines: HTTPDeadlines(connect: .seconds(1), idle: .seconds(1))
        )
        let client = HTTPClient()
        let storage = S3ObjectStorage(
            try server.configuration(),
            client: client,
            executor: try BlockingExecutor(name: "objects"),
            options: options
        )
        try await storage.createBucket()
        try await storage.put("kept", bytes: [1, 2], contentType: "text/plain")

        server.service.hang()
        for call in S3Integration.calls(storage) {
            let start = ContinuousClock.now
            let error = await #expect(throws: ObjectStorageError.self) { try await call() }
            #expect(error?.code == .unavailable)
            #expect(error?.isRetryable == true)
            #expect(start.duration(to: .now) < .seconds(8))
        }
        try await server.service.resume()
        #expect(try await storage.getBytes("kept", limit: 2) == [1, 2])

        await server.service.kill()
        for call in S3Integration.calls(storage) {
            let error = await #expect(throws: ObjectStorageError.self) { try await call() }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(server.endpoint) == true)
        }
        try await server.service.start()
        try await storage.check()
        #expect(try await storage.info("kept")?.size == 2)
        await server.stop()
    }
}

extension S3Server {
    func configuration(
        accessKey: String? = nil,
        secretKey: String? = nil,
        bucket: String = "custom-bots"
    ) throws -> S3Configuration {
        try S3Configuration(
            endpoint: endpoint,
            accessKey: accessKey ?? self.accessKey,
            secretKey: secretKey ?? self.secretKey,
            region: region,
            bucket: bucket
        )
    }
}

extension S3ObjectStorage {
    func createBucket() async throws {
        do {
            _ = try await send(S3Request(.put))
        } catch  where (error.cause as? S3Failure)?.status == 409 {
            return
        }
    }
}

/// With TLS, as `MINIO_SSL=true` asks for.
@Suite struct S3TLSIntegration {
    @Test func f47TLSToTheObjectStoreIsHonouredInLinksToo() async throws {
        let certificates = try await TestCertificates.make()
        let server = try await S3Server.start(certificates: certificates)
        let endpoint = try #require(server.secureEndpoint)
        let client = HTTPClient()
        let executor = try BlockingExecutor(name: "objects")
        func storage(tls: Bool, caFile: String?) throws -> S3ObjectStorage {
            S3ObjectStorage(
                try S3Configuration(
                    endpoint: endpoint,
                    accessKey: server.accessKey,
                    secretKey: server.secretKey,
                    useTLS: tls,
                    bucket: "secure",
                    caFile: caFile
                ),
                client: client,
                executor: executor,
                options: S3Options(attempts: 1)
            )
        }
        let secure = try storage(tls: true, caFile: certificates.authority)
        try await secure.createBucket()
        try await secure.put("code.zip", bytes: Array("hello".utf8), contentType: "application/zip")
        #expect(try await secure.getBytes("code.zip", limit: 10) == Array("hello".utf8))
        // Neither without TLS nor with another authority is there any answer.
        for other in [try storage(tls: false, caFile: nil), try storage(tls: true, caFile: nil)] {
            await #expect(throws: ObjectStorageError.self) { try await other.check() }
        }

        let url = try secure.presignedURL("code.zip", expires: .seconds(60))
        #expect(url.hasPrefix("https://\(endpoint)/secure/code.zip?"))
        #expect(!url.contains(server.secretKey))
        let folder = try TemporaryFolder()
        let reader = ObjectLinkReader(client: client, executor: executor, options: S3Options(attempts: 1))
        let authorities = try String(contentsOfFile: certificates.authority, encoding: .utf8)
        let link = try ObjectLink(url: url, authorities: authorities)
        #expect(try await reader.get(link, to: folder.file("x"), limit: 10) == 5)
        let stranger = try ObjectLink(url: url)
        let error = await #expect(throws: ObjectStorageError.self) {
            try await reader.get(stranger, to: folder.file("y"), limit: 10)
        }
        #expect(error?.message.contains("code.zip") == false)
        #expect(FileManager.default.fileExists(atPath: folder.file("x")))
        #expect(!FileManager.default.fileExists(atPath: folder.file("y")))
        await server.stop()
    }
}
