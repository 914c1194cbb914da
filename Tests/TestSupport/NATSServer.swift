/// A NATS server with JetStream.
public final class NATSServer: Sendable {
    /// Its process, to kill, hang and restart.
    public let service: LocalService
    /// The port on 127.0.0.1.
    public let port: UInt16

    /// Its URL, with the user's name and password when it has them.
    public let url: String

    private init(service: LocalService, port: UInt16, url: String) {
        self.service = service
        self.port = port
        self.url = url
    }

    private static let sharedServer = SharedService { try await NATSServer.start() }

    /// One server for all that use subjects of their own.
    public static func shared() async throws -> NATSServer {
        try await sharedServer.instance()
    }

    /// Starts one.
    /// - Parameters:
    ///   - port: the port; a free one by default. A test of a server that appears late gives the one it has announced.
    ///   - jetStream: whether it stores streams.
    ///   - credentials: the only user that may connect; letters and digits.
    /// - Throws: `FixtureError` when it is not installed or does not start.
    public static func start(
        port: UInt16? = nil,
        jetStream: Bool = true,
        credentials: (user: String, password: String)? = nil
    ) async throws -> NATSServer {
        let port = try port ?? freePort()
        let folder = try TemporaryFolder()
        var command = [try ServicePrograms.path("nats-server"), "-a", "127.0.0.1", "-p", "\(port)"]
        var user = ""
        if jetStream { command += ["-js", "-sd", folder.file("data")] }
        if let credentials {
            command += ["--user", credentials.user, "--pass", credentials.password]
            user = "\(credentials.user):\(credentials.password)@"
        }
        let service = try await LocalService("nats", folder: folder, command: command) {
            // It greets whoever connects.
            await exchange(.port(port), [])?.starts(with: Array("INFO ".utf8)) ?? false
        }
        return NATSServer(service: service, port: port, url: "nats://\(user)127.0.0.1:\(port)")
    }

    /// Ends it and removes its data.
    public func stop() async {
        await service.stop()
    }
}
