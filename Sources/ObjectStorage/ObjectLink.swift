public import Util

/// A URL with which whoever has it can read one object for a time, such as ``S3ObjectStorage/presignedURL(_:expires:)`` makes.
///
/// It counts as a secret: its description names the host alone, and so do all errors about it.
public struct ObjectLink: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The most bytes of a URL: a key of 1024 bytes, each of them escaped, and what signs it.
    public static let maximumBytes = 8192

    /// The URL, with its signature.
    public let url: String
    /// PEM text of the authorities to trust instead of the system's, for https.
    public let authorities: String?
    /// `host` or `host:port`.
    let host: String

    /// A link.
    /// - Parameters:
    ///   - url: an absolute http or https URL, percent-encoded, without user and fragment.
    ///   - authorities: PEM text of the authorities to trust instead of the system's, for https.
    /// - Throws: ``ObjectStorageError`` with code `invalidConfiguration`, which doesn't repeat the URL.
    public init(url: String, authorities: String? = nil) throws(ObjectStorageError) {
        guard url.utf8.count <= Self.maximumBytes else {
            throw .invalidLink("has \(url.utf8.count) bytes; up to \(Self.maximumBytes) are allowed")
        }
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else {
            throw .invalidLink("begins neither with https:// nor with http://")
        }
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !url.utf8.contains(UInt8(ascii: "#")) else {
            throw .invalidLink("has a fragment, or characters that have to be percent-encoded")
        }
        let rest = url.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        guard !host.isEmpty else { throw .invalidLink("names no host") }
        guard !host.contains("@") else { throw .invalidLink("has a user in it; its signature is in its query") }
        if let authorities {
            guard scheme == "https://" else {
                throw .invalidLink("is no https URL, but authorities to trust are given")
            }
            guard authorities.contains("-----BEGIN CERTIFICATE-----") else {
                throw .invalidLink("comes with authorities that are no certificates in PEM")
            }
        }
        self.url = url
        self.authorities = authorities
        self.host = String(host)
    }

    /// The host, nothing else.
    public var description: String { "a link to \(host)" }
    /// The host alone, for debuggers and `dump` too.
    public var customMirror: Mirror { Mirror(self, children: ["host": host]) }

    /// Until when it says that it is valid; nil when it doesn't.
    public var expiresAt: Timestamp? {
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        func value(_ name: String) -> Substring? {
            query.split(separator: "&").first { $0.hasPrefix(name + "=") }?.dropFirst(name.utf8.count + 1)
        }
        guard let date = value("X-Amz-Date"), date.utf8.count == 16,
            let seconds = value("X-Amz-Expires").flatMap({ Int($0) }),
            (0...604_800).contains(seconds)
        else { return nil }
        let digits = Array(date)
        let text =
            "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))T"
            + "\(String(digits[9..<11])):\(String(digits[11..<13])):\(String(digits[13..<15]))Z"
        return (try? RFC3339.parse(text))?.advanced(by: .seconds(seconds))
    }
}

extension ObjectStorageError {
    fileprivate static func invalidLink(_ what: String) -> ObjectStorageError {
        ObjectStorageError(.invalidConfiguration, "the link to an object \(what)")
    }
}
