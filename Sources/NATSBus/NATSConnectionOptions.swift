/// How to reach NATS.
public struct NATSConnectionOptions: Sendable {
    /// Servers, separated by commas: `nats://user:password@host:port`, `nats://token@host`, `tls://host`. A password that
    /// holds reserved characters is percent-encoded.
    public var url: String
    /// What the server calls this client.
    public var name: String
    /// A credentials file (a JWT and a seed), where the server wants one.
    public var credentialsFile: String?
    /// PEM files for TLS; certificate and key only together.
    public var caFile: String?
    /// The client's certificate, PEM.
    public var certificateFile: String?
    /// The key of the client's certificate, PEM.
    public var keyFile: String?

    /// The longest that one attempt to connect takes.
    public var connectTimeout: Duration = .seconds(2)
    /// The pause between two attempts at the same server, to which up to half of it is added at random.
    public var reconnectWait: Duration = .seconds(1)
    /// How often the server is asked whether it is alive. With two questions unanswered it counts as gone.
    public var pingInterval: Duration = .seconds(20)
    /// The longest that a question to the server waits for its answer.
    public var requestTimeout: Duration = .seconds(2)

    /// Options with everything but the servers at its default.
    public init(url: String, name: String = "the0-runtime") {
        self.url = url
        self.name = name
    }
}

extension Duration {
    /// Whole milliseconds, at least one.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max / 1_000_000 : max(1, whole + attoseconds / 1_000_000_000_000_000)
    }
}
