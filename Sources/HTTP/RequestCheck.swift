extension HTTPRequest {
    /// Method and URL without query (which may carry a signature), for messages.
    var target: String {
        let place = url.prefix { $0 != "?" }
        return "\(method.rawValue) \(place)" + (unixSocket.map { " over \($0)" } ?? "")
    }

    /// Refuses what would be sent as something else than it says: libcurl itself passes CR and LF in headers on.
    func check() throws(HTTPError) {
        try checkURL()
        for header in headers {
            try header.check()
        }
        if let path = unixSocket {
            // sun_path of sockaddr_un is 108 bytes including the final zero.
            guard (1...107).contains(path.utf8.count), !path.utf8.contains(0) else {
                throw HTTPError(
                    .badURL,
                    "a unix socket's path has 1 to 107 bytes, none of them zero; got \(path.utf8.count)"
                )
            }
        }
        if let tls { try tls.check() }
        switch body {
        case .none: break
        case .stream(let length?, _) where length < 0:
            throw HTTPError(.badRequest, "a body's length can't be negative; got \(length)")
        case .bytes, .stream:
            if method == .head { throw HTTPError(.badRequest, "a HEAD request has no body") }
        }
    }

    private func checkURL() throws(HTTPError) {
        let allowed: ClosedRange<UInt8> = 0x21...0x7E
        // The URL isn't repeated in these messages: it may have a password in it.
        for (offset, byte) in url.utf8.enumerated() where !allowed.contains(byte) || byte == UInt8(ascii: "#") {
            throw HTTPError(
                .badURL,
                "byte 0x\(String(byte, radix: 16)) at \(offset) of the URL has to be percent-encoded"
            )
        }
        let lowercased = url.prefix(8).lowercased()
        guard lowercased.hasPrefix("http://") || lowercased.hasPrefix("https://") else {
            throw HTTPError(.badURL, "a URL starts with http:// or https://")
        }
        let rest = url.dropFirst(lowercased.hasPrefix("https://") ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@"), !authority.contains("\\") else {
            throw HTTPError(.badURL, "a URL has a host and, here, no user or password: use the Authorization header")
        }
    }
}

extension TLSOptions {
    func check() throws(HTTPError) {
        for (path, data) in [(caFile, caData), (certificateFile, certificateData), (keyFile, keyData)] {
            if let path, path.isEmpty || path.utf8.contains(0) {
                throw HTTPError(.badRequest, "the path of a TLS file is empty or has a zero byte in it")
            }
            if path != nil, data != nil {
                throw HTTPError(.badRequest, "certificates and keys are given as file or as data, not as both")
            }
            // An empty one means "none" to libcurl.
            if let data, data.isEmpty { throw HTTPError(.badRequest, "the data of a certificate or key is empty") }
        }
        // It stands in a URL, and in a list that colons divide.
        if let serverName, serverName.isEmpty || !serverName.utf8.allSatisfy(\.isHostName) {
            throw HTTPError(.badRequest, "the server name for TLS has letters, digits, '-', '_' and '.' only")
        }
    }
}

extension HTTPHeader {
    func check() throws(HTTPError) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else {
            throw HTTPError(
                .badRequest,
                "a header's name has letters, digits and !#$%&'*+-.^_`|~ only; one of \(name.utf8.count) bytes has others"
            )
        }
        guard !value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) else {
            throw HTTPError(.badRequest, "the value of header \(name) has a control character in it")
        }
        if isNamed("Content-Length") || isNamed("Transfer-Encoding") {
            throw HTTPError(.badRequest, "header \(name) follows from the body and can't be given")
        }
    }
}

extension UInt8 {
    fileprivate var isHostName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// RFC 9110, 5.6.2: tchar.
    fileprivate var isToken: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}
