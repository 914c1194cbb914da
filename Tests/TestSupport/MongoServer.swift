import Foundation

/// A MongoDB server (`secantusd`, which speaks its wire protocol as a replica set of one), private to the one who
/// starts it: the names of the0's databases are fixed, so tests that write share no server.
public final class MongoServer: Sendable {
    /// How it is to be protected.
    public struct Protection: Sendable {
        var credentials: (user: String, password: String)?
        var certificates: TestCertificates?

        /// Open to everybody, as by default.
        public static let none = Protection()

        /// SCRAM: only for this user of the database `admin`.
        public static func password(user: String, password: String) -> Protection {
            Protection(credentials: (user, password))
        }

        /// TLS with the certificates' server certificate.
        public static func tls(_ certificates: TestCertificates) -> Protection {
            Protection(certificates: certificates)
        }
    }

    /// Its process, to kill, hang and restart.
    public let service: LocalService
    /// The port on 127.0.0.1.
    public let port: UInt16

    private let protection: Protection

    /// The connection string, without a user's name and password.
    public var uri: String { "mongodb://127.0.0.1:\(port)/" }

    /// The connection string with everything a client needs, and with timeouts fit for tests of outages.
    public var clientURI: String {
        var text = "mongodb://"
        if let credentials = protection.credentials { text += "\(credentials.user):\(credentials.password)@" }
        text += "127.0.0.1:\(port)/?serverSelectionTimeoutMS=3000&connectTimeoutMS=2000"
        if protection.credentials != nil { text += "&authSource=admin" }
        if let certificates = protection.certificates { text += "&tls=true&tlsCAFile=\(certificates.authority)" }
        return text
    }

    private init(service: LocalService, port: UInt16, protection: Protection) {
        self.service = service
        self.port = port
        self.protection = protection
    }

    private static let sharedServer = SharedService { try await MongoServer.start() }

    /// One server for all that only need a server to be there, and use databases with names of their own.
    public static func shared() async throws -> MongoServer {
        try await sharedServer.instance()
    }

    /// Starts one on a free port.
    /// - Throws: `FixtureError` when it is not installed or does not start.
    public static func start(_ protection: Protection = .none) async throws -> MongoServer {
        let port = try freePort()
        let folder = try TemporaryFolder()
        if let credentials = protection.credentials {
            // Users are made while it is open; then it starts anew with authentication.
            let open = try await launch(port, folder, [], protection: .none)
            try await open.python(
                """
                client.admin.command("createUser", \(quoted(credentials.user)), pwd=\(quoted(credentials.password)),
                                     roles=["root"])
                """
            )
            await open.service.kill()
        }
        var options: [String] = []
        if protection.credentials != nil { options.append("--auth") }
        if let certificates = protection.certificates {
            options += ["--tls-cert-file", certificates.serverCertificate, "--tls-key-file", certificates.serverKey]
        }
        return try await launch(port, folder, options, protection: protection)
    }

    private static func launch(
        _ port: UInt16,
        _ folder: TemporaryFolder,
        _ options: [String],
        protection: Protection
    ) async throws -> MongoServer {
        // Without --sync-on-commit acknowledged writes are lost on SIGKILL.
        let command = [
            try ServicePrograms.path("secantusd-py"), "--host", "127.0.0.1", "--port", "\(port)",
            "--storage-path", folder.file("data"), "--sync-on-commit", "--cache-size", "128M",
        ]
        let isEncrypted = protection.certificates != nil
        let service = try await LocalService("mongodb", folder: folder, command: command + options) {
            if isEncrypted { return await acceptsConnections(port) }
            return await exchange(.port(port), ping) != nil
        }
        return MongoServer(service: service, port: port, protection: protection)
    }

    /// Runs Python with `client`, a connected pymongo client, and `db`, the database `bot_runner`: a second opinion on
    /// what is stored.
    /// - Parameter script: the statements; what they print is the result.
    /// - Returns: what was printed.
    @discardableResult
    public func python(_ script: String) async throws -> String {
        let preamble = """
            import json, os, pymongo
            from bson import ObjectId, Int64, Decimal128
            client = pymongo.MongoClient(os.environ["URI"])
            db = client.bot_runner

            """
        return try await requireCommand(
            [try ServicePrograms.path("python3"), "-"],
            environment: ["URI": clientURI],
            input: Data((preamble + script).utf8)
        )
    }

    /// Ends it and removes its data.
    public func stop() async {
        await service.stop()
    }

    /// `{ping: 1, $db: "admin"}` as an OP_MSG (opcode 2013).
    private static let ping: [UInt8] = {
        let document: [UInt8] =
            [30, 0, 0, 0] + [0x10] + Array("ping\0".utf8) + [1, 0, 0, 0]
            + [0x02] + Array("$db\0".utf8) + [6, 0, 0, 0] + Array("admin\0".utf8) + [0]
        let size = UInt8(16 + 4 + 1 + document.count)
        let header: [UInt8] = [size, 0, 0, 0] + [1, 0, 0, 0] + [0, 0, 0, 0] + [0xdd, 0x07, 0, 0]
        return header + [0, 0, 0, 0] + [0] + document
    }()
}

/// A text as a Python literal.
private func quoted(_ text: String) -> String {
    "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
}
