/// The request methods in use here.
public enum HTTPMethod: String, Sendable {
    /// Reads.
    case get = "GET"
    /// Reads the head only; such a request has no body.
    case head = "HEAD"
    /// Stores.
    case put = "PUT"
    /// Acts; not repeated by the client once it may have reached the server.
    case post = "POST"
    /// Removes.
    case delete = "DELETE"
    /// Changes in part; not repeated by the client once it may have reached the server.
    case patch = "PATCH"
}

/// One HTTP/1.1 request.
public struct HTTPRequest: Sendable {
    /// The method.
    public var method: HTTPMethod
    /// Absolute http or https URL, percent-encoded already, without user and fragment; sent as it is (`..` too).
    public var url: String
    /// Path of a unix socket to connect to; the URL's host is then only the Host header.
    public var unixSocket: String?
    /// Header fields. `Content-Length` and `Transfer-Encoding` follow from the body and can't be given.
    public var headers: [HTTPHeader]
    /// The body.
    public var body: HTTPRequestBody
    /// Whom to trust and who we are, for https; nil: the system's authorities, no client certificate.
    public var tls: TLSOptions?
    /// How long what may take.
    public var deadlines: HTTPDeadlines

    /// A request with everything that isn't given left at its default.
    public init(
        method: HTTPMethod = .get,
        url: String,
        unixSocket: String? = nil,
        headers: [HTTPHeader] = [],
        body: HTTPRequestBody = .none,
        tls: TLSOptions? = nil,
        deadlines: HTTPDeadlines = HTTPDeadlines()
    ) {
        self.method = method
        self.url = url
        self.unixSocket = unixSocket
        self.headers = headers
        self.body = body
        self.tls = tls
        self.deadlines = deadlines
    }
}

/// A request's body.
public enum HTTPRequestBody: Sendable {
    /// No body. `Content-Length: 0` is sent where the method would have one.
    case none
    /// A body that is in memory.
    case bytes([UInt8])
    /// A body that is produced while it is sent, pulled only as fast as the server takes it. A length in bytes that is
    /// known is announced and has to be kept; else the body is sent chunked. The source is cancelled, as a task is,
    /// when the transfer ends before it does, and has to honour that.
    case stream(length: Int64?, any AsyncSequence<[UInt8], any Error> & Sendable)
}

/// TLS settings of one request. Connections are shared only between requests with the same settings.
public struct TLSOptions: Sendable, Hashable {
    /// PEM file of the authorities to trust, instead of the system's.
    public var caFile: String?
    /// The same as PEM text; not together with `caFile`.
    public var caData: [UInt8]?
    /// PEM file of the client's certificate chain.
    public var certificateFile: String?
    /// The same as PEM text; not together with `certificateFile`.
    public var certificateData: [UInt8]?
    /// PEM file of the client's private key.
    public var keyFile: String?
    /// The same as PEM text; not together with `keyFile`.
    public var keyData: [UInt8]?
    /// The name that the server's certificate has to be for, and that it is asked for, where that isn't the URL's host.
    public var serverName: String?
    /// Whether the server's certificate and name are checked.
    public var verify: Bool

    /// TLS with the system's authorities unless given otherwise.
    public init(caFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil, verify: Bool = true) {
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verify = verify
    }
}

/// How long parts of a request may take, counted from `execute`.
public struct HTTPDeadlines: Sendable, Hashable {
    /// Until there is a connection: waiting for a free one, name, TCP, TLS.
    public var connect: Duration
    /// Without a byte in either direction once connected. Time in which the caller is the slower one (reads no body,
    /// gives no body) doesn't count. nil, for event streams: no limit, and the connection isn't counted against
    /// `maxConnections`.
    public var idle: Duration?
    /// Until the response's last byte has come.
    public var total: Duration?

    /// 10 s to connect, 30 s without a byte, no limit in total, unless given otherwise.
    public init(connect: Duration = .seconds(10), idle: Duration? = .seconds(30), total: Duration? = nil) {
        self.connect = connect
        self.idle = idle
        self.total = total
    }
}
