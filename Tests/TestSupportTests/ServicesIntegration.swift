import Foundation
import TestSupport
import Testing

@Suite struct ServicesIntegration {
    @Test func mongoKeepsItsDataOverACrash() async throws {
        let server = try await MongoServer.start()
        try await server.python("db.bots.insert_one({'id': 'a'})")
        await server.service.kill()
        try await server.service.start()
        #expect(try await server.python("print(db.bots.count_documents({}))") == "1\n")
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: server.service.folder.path))
    }

    @Test func mongoHangsAndGoesOn() async throws {
        let server = try await MongoServer.start()
        server.service.hang()
        await #expect(throws: FixtureError.self) {
            try await requireCommand(
                [
                    ServicePrograms.path("python3"), "-c",
                    "import pymongo,sys; pymongo.MongoClient(sys.argv[1]).db.x.find_one()",
                    server.uri + "?serverSelectionTimeoutMS=500",
                ],
                within: .seconds(20)
            )
        }
        try await server.service.resume()
        #expect(try await server.python("print(db.bots.count_documents({}))") == "0\n")
        await server.stop()
    }

    @Test func mongoWithAPasswordRefusesOthers() async throws {
        let server = try await MongoServer.start(.password(user: "the0", password: "p\"w"))
        #expect(try await server.python("print(db.bots.count_documents({}))") == "0\n")
        let refused = try await runCommand([
            ServicePrograms.path("python3"), "-c",
            "import pymongo,sys; pymongo.MongoClient(sys.argv[1]).db.x.find_one()", server.uri,
        ])
        #expect(!refused.isSuccess)
        #expect(refused.errorText.contains("uthentication"))
        await server.stop()
    }

    @Test func mongoSpeaksTLS() async throws {
        let server = try await MongoServer.start(.tls(try await TestCertificates.make()))
        #expect(try await server.python("print(db.bots.count_documents({}))") == "0\n")
        await server.stop()
    }

    @Test func natsComesBackAtItsAddress() async throws {
        let server = try await NATSServer.start()
        await server.service.kill()
        try await server.service.start()
        try await server.service.restart()
        #expect(server.url == "nats://127.0.0.1:\(server.port)")
        await server.stop()
    }

    @Test func aServiceAtATakenAddressIsAnError() async throws {
        let taken = try await NATSServer.start()
        let error = await #expect(throws: FixtureError.self) { try await NATSServer.start(port: taken.port) }
        #expect(error?.description.contains("somebody else") == true)
        await taken.stop()
    }

    @Test func s3StoresForItsKeyOnly() async throws {
        let server = try await S3Server.start()
        let url = "http://\(server.endpoint)/bucket"
        let signed = [
            "curl", "-fsS", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", "\(server.accessKey):\(server.secretKey)",
        ]
        try await requireCommand(signed + ["-X", "PUT", url])
        try await requireCommand(signed + ["-T", "/etc/hostname", "\(url)/key"])
        #expect(try await !runCommand(["curl", "-fsS", "\(url)/key"]).isSuccess)
        try await server.service.restart()
        let text = try await requireCommand(signed + ["\(url)/key"])
        #expect(text == (try String(contentsOfFile: "/etc/hostname", encoding: .utf8)))
        await server.stop()
    }

    @Test func aSharedServerIsStartedOnce() async throws {
        async let first = NATSServer.shared()
        async let second = NATSServer.shared()
        #expect(try await first === second)
    }
}
