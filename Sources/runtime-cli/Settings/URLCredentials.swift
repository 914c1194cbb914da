import Foundation

/// Finds what must not be shown in the URLs of services.
enum URLCredentials {
    /// Everything in a URL, or in several separated by commas, that may be a password, as it stands there and decoded.
    ///
    /// A password that should have been percent-encoded may hold any separator: rather more is taken than less.
    /// - Parameter isToken: whether what stands alone before the `@` is a secret too and not only a user's name.
    static func secrets(in text: String, isToken: Bool = false) -> [String] {
        var secrets: [String] = []
        for url in [Substring(text)] + text.split(separator: ",") {
            guard let at = url.lastIndex(of: "@") else { continue }
            var credentials = url[..<at]
            if let mark = credentials.range(of: "://") { credentials = credentials[mark.upperBound...] }
            if let colon = credentials.firstIndex(of: ":") {
                secrets.append(String(credentials[credentials.index(after: colon)...]))
            } else if isToken {
                secrets.append(String(credentials))
            }
        }
        return secrets + secrets.compactMap(\.removingPercentEncoding).filter { !secrets.contains($0) }
    }
}
