/// Where an S3 bucket is and how to get at it.
///
/// Its description leaves the keys out.
public struct S3Configuration: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// `host:port`, or the host alone for the scheme's own port.
    public let endpoint: String
    /// The public half of the credentials.
    public let accessKey: String
    /// The secret half of the credentials.
    public let secretKey: String
    /// Whether to speak TLS.
    public let useTLS: Bool
    /// The region that signatures name.
    public let region: String
    /// The bucket.
    public let bucket: String
    /// PEM file of the authorities to trust instead of the system's.
    public let caFile: String?

    /// Another bucket of the same store.
    /// - Throws: ``ObjectStorageError`` with code `invalidConfiguration` when it can't be a bucket's name.
    public func with(bucket: String) throws(ObjectStorageError) -> S3Configuration {
        try S3Configuration(
            endpoint: endpoint,
            accessKey: accessKey,
            secretKey: secretKey,
            useTLS: useTLS,
            region: region,
            bucket: bucket,
            caFile: caFile
        )
    }

    /// A bucket's place and credentials.
    /// - Parameters:
    ///   - endpoint: `host:port` or `host`, without a scheme; an IPv6 address in brackets.
    ///   - accessKey: the public half of the credentials, not empty.
    ///   - secretKey: the secret half of the credentials, not empty.
    ///   - useTLS: whether to speak TLS.
    ///   - region: lower-case letters, digits and `-`.
    ///   - bucket: 3 to 63 lower-case letters, digits, `.` and `-`, a letter or digit at both ends.
    ///   - caFile: PEM file of the authorities to trust instead of the system's.
    /// - Throws: ``ObjectStorageError`` with code `invalidConfiguration` that names the value that can't be right.
    public init(
        endpoint: String,
        accessKey: String,
        secretKey: String,
        useTLS: Bool = false,
        region: String = "us-east-1",
        bucket: String,
        caFile: String? = nil
    ) throws(ObjectStorageError) {
        try Self.check(endpoint: endpoint)
        for (name, value) in [("access key", accessKey), ("secret key", secretKey)] {
            guard !value.isEmpty else { throw .invalid("the object store's \(name) is empty") }
            guard value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .invalid("the object store's \(name) has a space, a control or a non-ASCII character in it")
            }
        }
        guard !accessKey.contains("/"), !accessKey.contains(",") else {
            throw .invalid("the object store's access key has a \"/\" or \",\" in it, which signatures can't carry")
        }
        guard (1...63).contains(region.utf8.count), region.utf8.allSatisfy(\.isLabel) else {
            throw .invalid(
                "the object store's region is \(region.quotedForError); allowed are lower-case letters, digits and \"-\""
            )
        }
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy({ $0.isLabel || $0 == UInt8(ascii: ".") }),
            [bucket.utf8.first, bucket.utf8.last].allSatisfy({ $0?.isAlphanumeric == true })
        else {
            throw .invalid(
                "\(bucket.quotedForError) is no bucket's name: allowed are 3 to 63 lower-case letters, digits, \".\" and "
                    + "\"-\", with a letter or digit at both ends"
            )
        }
        self.endpoint = endpoint
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.useTLS = useTLS
        self.region = region
        self.bucket = bucket
        self.caFile = caFile
    }

    /// The bucket and where it is.
    public var description: String { "bucket \(bucket) at \(useTLS ? "https" : "http")://\(endpoint)" }

    /// Without the keys, so that dumping the configuration shows none.
    public var customMirror: Mirror {
        Mirror(self, children: ["endpoint": endpoint, "bucket": bucket, "region": region, "useTLS": useTLS])
    }

    /// What the Host header says: clients leave the scheme's own port out, and the signature covers the header.
    var host: String {
        let ownPort = useTLS ? ":443" : ":80"
        return endpoint.hasSuffix(ownPort) ? String(endpoint.dropLast(ownPort.count)) : endpoint
    }

    private static func check(endpoint: String) throws(ObjectStorageError) {
        let quoted = endpoint.quotedForError
        guard !endpoint.contains("://") else {
            throw .invalid(
                "the object store's endpoint \(quoted) has a scheme; it is host:port, TLS is a setting of its own"
            )
        }
        guard !endpoint.contains("@") else {
            // Not repeated: what stands before the @ is likely to be a password.
            throw .invalid("the object store's endpoint has an \"@\" in it; credentials are settings of their own")
        }
        let host: Substring
        if endpoint.first == "[" {
            let end = endpoint.firstIndex(of: "]") ?? endpoint.startIndex
            host = endpoint[...end]
            guard host.utf8.dropFirst().dropLast().allSatisfy({ $0.isHexadecimal || ":.".utf8.contains($0) }),
                host.count > 3
            else { throw .invalid("the object store's endpoint \(quoted) is no [IPv6 address]:port") }
        } else {
            host = endpoint.prefix { $0 != ":" }
            guard (1...253).contains(host.utf8.count),
                host.utf8.allSatisfy({ $0.isAlphanumericOfAnyCase || "-._".utf8.contains($0) })
            else { throw .invalid("the object store's endpoint \(quoted) is no host:port") }
        }
        let rest = endpoint[host.endIndex...]
        guard !rest.isEmpty else { return }
        guard rest.first == ":", rest.count <= 6, rest.dropFirst().utf8.allSatisfy(\.isDigit),
            let port = Int(rest.dropFirst()), (1...65_535).contains(port)
        else {
            throw .invalid("the object store's endpoint \(quoted) has no port from 1 to 65535 after its host")
        }
    }
}

extension ObjectStorageError {
    fileprivate static func invalid(_ message: String) -> ObjectStorageError {
        ObjectStorageError(.invalidConfiguration, message)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isAlphanumeric: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    fileprivate var isAlphanumericOfAnyCase: Bool {
        isAlphanumeric || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }
    fileprivate var isLabel: Bool { isAlphanumeric || self == UInt8(ascii: "-") }
    fileprivate var isHexadecimal: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20) }
}
