/// Where a URL leads, and what follows: an absolute http or https URL that `HTTPRequest.check` has let pass.
struct URLPlace {
    let isSecure: Bool
    /// Host and port as they are written.
    let authority: String
    /// With its brackets, for an IPv6 address.
    let host: String
    let port: String
    /// Path and query, beginning with a slash unless empty or only a query.
    let rest: String

    init?(_ url: String) {
        guard let separator = url.firstRange(of: "://") else { return nil }
        isSecure = url[..<separator.lowerBound].lowercased() == "https"
        let after = url[separator.upperBound...]
        let authority = after.prefix { $0 != "/" && $0 != "?" }
        rest = String(after[authority.endIndex...])
        self.authority = String(authority)
        // The colons of an IPv6 address stand before its closing bracket.
        let name = authority.lastIndex(of: "]").map { authority[...$0] } ?? authority.prefix { $0 != ":" }
        host = String(name)
        let digits = authority[name.endIndex...].dropFirst()
        port = digits.isEmpty ? (isSecure ? "443" : "80") : String(digits)
    }
}
