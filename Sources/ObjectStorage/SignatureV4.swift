import Crypto
import Util

/// AWS Signature Version 4 for S3 ("Authenticating Requests (AWS Signature Version 4)" in the S3 API reference).
///
/// S3 encodes a path once and doesn't normalise it, unlike other services.
struct SignatureV4: Sendable {
    static let emptyBodyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    static let unsignedBody = "UNSIGNED-PAYLOAD"

    let accessKey: String
    let secretKey: String
    let region: String

    /// The value of the Authorization header.
    /// - Parameters:
    ///   - headers: those that are signed, by lower-case name; `host`, `x-amz-date` and `x-amz-content-sha256` among them.
    ///   - time: as in `x-amz-date`.
    func authorization(
        method: String,
        path: String,
        query: [S3Query],
        headers: [(name: String, value: String)],
        bodyHash: String,
        time: SignatureTime
    ) -> String {
        let signed = headers.sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let request = canonicalRequest(method, path, query, signed, names, bodyHash)
        let signature = self.signature(of: request, at: time)
        return "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope(time)),SignedHeaders=\(names),Signature=\(signature)"
    }

    /// The query that makes a GET of the path valid for a time by itself.
    /// - Parameter seconds: how long, 1 to 604,800 (a week).
    func presignedQuery(path: String, host: String, seconds: Int, time: SignatureTime) -> String {
        let query = [
            S3Query("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            S3Query("X-Amz-Credential", "\(accessKey)/\(scope(time))"),
            S3Query("X-Amz-Date", time.full),
            S3Query("X-Amz-Expires", String(seconds)),
            S3Query("X-Amz-SignedHeaders", "host"),
        ]
        let request = canonicalRequest("GET", path, query, [("host", host)], "host", Self.unsignedBody)
        return S3Query.encode(query) + "&X-Amz-Signature=" + signature(of: request, at: time)
    }

    private func canonicalRequest(
        _ method: String,
        _ path: String,
        _ query: [S3Query],
        _ headers: [(name: String, value: String)],
        _ names: String,
        _ bodyHash: String
    ) -> String {
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        return "\(method)\n\(path)\n\(S3Query.encode(query))\n\(lines)\n\(names)\n\(bodyHash)"
    }

    private func scope(_ time: SignatureTime) -> String { "\(time.day)/\(region)/s3/aws4_request" }

    private func signature(of request: String, at time: SignatureTime) -> String {
        let hash = hexadecimal(SHA256.hash(data: Array(request.utf8)))
        let text = "AWS4-HMAC-SHA256\n\(time.full)\n\(scope(time))\n\(hash)"
        var key = SymmetricKey(data: Array("AWS4\(secretKey)".utf8))
        for part in [String(time.day), region, "s3", "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
}

/// A time in the two forms that signatures need.
struct SignatureTime: Sendable {
    /// As `20261124T081523Z`.
    let full: String
    /// As `20261124`.
    var day: Substring { full.prefix(8) }

    init(_ timestamp: Timestamp) {
        let seconds = RFC3339.string(millisecondsSince1970: timestamp.millisecondsSince1970).prefix(19)
        full = seconds.filter { $0 != "-" && $0 != ":" } + "Z"
    }
}

/// A parameter of a URL's query, not encoded yet.
struct S3Query: Sendable {
    let name: String
    let value: String

    init(_ name: String, _ value: String = "") {
        self.name = name
        self.value = value
    }

    /// The query in the canonical form, which is also the one to send.
    static func encode(_ query: [S3Query]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }
            .map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
    }
}
