import Control
import Logging
import Testing

@testable import MongoStore

@Suite struct MongoURITests {
    private func connection(_ uri: String) throws -> MongoConnection {
        try MongoConnection(uri: uri, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test(arguments: [
        "", "nonsense", "http://localhost", "mongodb://", "mongodb://a:b:c@h", "mongodb://host:99999",
        "mongodb://host:x",
        "mongodb://h/?authMechanism=NONE", "mongodb://[::1", "mongodb+srv://a,b", "mongodb://h\0x",
        "mongodb://h/?directConnection=true&loadBalanced=true",
    ])
    func whatIsNoURIIsRefused(_ uri: String) {
        let error = #expect(throws: StoreError.self) { try connection(uri) }
        #expect(error?.code == .refused)
        #expect(error?.description.hasPrefix("MongoDB URI ") == true)
    }

    @Test(arguments: [
        "mongodb://user:sup3rS3cret@host:99999/db", "mongodb://user:sup3r/S3cret@host",
        "mongodb://user:sup3rS3cret%zz@host",
        "mongodb://user:sup3rS3cret@", "mongodb://user:p@sup3rS3cret@host:x", "mongodb://user:sup3rS3cret?x@host:y/",
        "http://user:sup3rS3cret@host",
    ])
    func aPasswordIsInNoMessage(_ uri: String) {
        let error = #expect(throws: StoreError.self) { try connection(uri) }
        let message = error?.description ?? ""
        for piece in ["sup3r", "S3cret"] { #expect(!message.contains(piece), "\(message)") }
    }

    @Test func timeoutsAreShortUnlessTheURISaysOtherwise() throws {
        #expect(try connection("mongodb://h").uri.socketTimeout == 10_000)
        #expect(try connection("mongodb://h/?socketTimeoutMS=2500").uri.socketTimeout == 2500)
    }

    @Test func hostsAreNamedWithoutCredentials() throws {
        let several = try connection("mongodb://user:sup3rS3cret@a,b:27018/?replicaSet=r")
        #expect(several.description == "mongodb://a:27017,b:27018")
        #expect(try connection("mongodb+srv://u:sup3rS3cret@db.example.org/").description == "mongodb://db.example.org")
    }

    @Test(arguments: [
        (MongoError(server: 18, message: ""), StoreError.Code.unauthorized),
        (MongoError(server: 13, message: ""), .unauthorized),
        (MongoError(domain: 1, code: 11, message: ""), .unauthorized),
        (MongoError(domain: 15, code: 13053, message: ""), .unavailable),
        (MongoError(domain: 2, code: 4, message: ""), .unavailable),
        (MongoError(server: 10107, message: ""), .unavailable),
        (MongoError(server: 11000, message: ""), .refused), (MongoError(server: 121, message: ""), .refused),
    ])
    func errorsHaveTheirCode(_ error: MongoError, _ code: StoreError.Code) {
        #expect(StoreError.Code(error) == code)
    }
}
