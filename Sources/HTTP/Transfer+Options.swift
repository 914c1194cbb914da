import CCurl

extension Transfer {
    /// Turns the request into options of the handle.
    func configure() throws(HTTPError) {
        let request = exchange.request
        try configurePlace(request)
        try easy.set(CURLOPT_PATH_AS_IS, true)
        try easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // No signals for timeouts; a name server that hangs isn't waited for when the transfer is given up.
        try easy.set(CURLOPT_NOSIGNAL, true)
        try easy.set(CURLOPT_QUICK_EXIT, true)
        try easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        // Spread by libcurl over all addresses of a host; the deadline itself is the loop's.
        let connect = request.deadlines.connect.components
        try easy.set(CURLOPT_CONNECTTIMEOUT_MS, min(max(Int(clamping: connect.seconds), 1), 1_000_000) * 1000)
        if let path = request.unixSocket {
            try easy.set(CURLOPT_UNIX_SOCKET_PATH, path)
            try easy.set(CURLOPT_PROXY, "")
        } else {
            try easy.set(CURLOPT_TCP_KEEPALIVE, true)
        }
        try configureBody(request)
        try easy.set(headerLines: headerLines(request))
        try configureTLS(request.tls)
        try installCallbacks()
    }

    /// libcurl takes the name in TLS from the URL, so that a name of its own stands there, and the URL's place beside it.
    private func configurePlace(_ request: HTTPRequest) throws(HTTPError) {
        guard let name = request.tls?.serverName, let place = URLPlace(request.url), place.isSecure else {
            return try easy.set(CURLOPT_URL, request.url)
        }
        try easy.set(CURLOPT_URL, "https://\(name):\(place.port)\(place.rest)")
        try easy.set(connectTo: "\(name):\(place.port):\(place.host):\(place.port)")
    }

    private func configureBody(_ request: HTTPRequest) throws(HTTPError) {
        let length: Int64?
        switch (request.body, request.method) {
        case (.none, .head):
            try easy.set(CURLOPT_NOBODY, true)
            return
        case (.none, .get), (.none, .delete): length = nil
        case (.none, .put), (.none, .post), (.none, .patch): length = 0
        case (.bytes(let bytes), _): length = Int64(bytes.count)
        case (.stream(let announced, _), _): length = announced ?? -1
        }
        // An upload under another method's name is the one form that adds no Content-Type.
        if let length {
            try easy.set(CURLOPT_UPLOAD, true)
            try easy.set(large: CURLOPT_INFILESIZE_LARGE, length)
        }
        try easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func headerLines(_ request: HTTPRequest) -> [String] {
        var lines = request.headers.map { header in
            header.value.allSatisfy { $0 == " " || $0 == "\t" } ? "\(header.name);" : "\(header.name): \(header.value)"
        }
        if !request.headers.contains(where: { $0.isNamed("Expect") }) { lines.append("Expect:") }
        if request.tls?.serverName != nil, !request.headers.contains(where: { $0.isNamed("Host") }),
            let place = URLPlace(request.url), place.isSecure
        {
            lines.append("Host: \(place.authority)")
        }
        return lines
    }

    private func configureTLS(_ tls: TLSOptions?) throws(HTTPError) {
        try easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        guard let tls else { return }
        try easy.set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1 : 0)
        try easy.set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2 : 0)
        if let path = tls.caFile {
            try easy.set(CURLOPT_CAINFO, path)
            // Else the system's directory of authorities would be trusted as well.
            try easy.set(CURLOPT_CAPATH, nil)
            // libcurl keeps what it has read for a day; files that are rotated, as in Pods, are seen after a minute.
            try easy.set(CURLOPT_CA_CACHE_TIMEOUT, 60)
        }
        if let bytes = tls.caData {
            try easy.set(CURLOPT_CAINFO, nil)
            try easy.set(CURLOPT_CAPATH, nil)
            try easy.set(CURLOPT_CAINFO_BLOB, bytes: bytes)
        }
        if let path = tls.certificateFile { try easy.set(CURLOPT_SSLCERT, path) }
        if let bytes = tls.certificateData { try easy.set(CURLOPT_SSLCERT_BLOB, bytes: bytes) }
        if let path = tls.keyFile { try easy.set(CURLOPT_SSLKEY, path) }
        if let bytes = tls.keyData { try easy.set(CURLOPT_SSLKEY_BLOB, bytes: bytes) }
    }

    private func installCallbacks() throws(HTTPError) {
        try easy.set(
            [
                CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_HEADERDATA, CURLOPT_SEEKDATA,
                CURLOPT_XFERINFODATA, CURLOPT_PREREQDATA, CURLOPT_OPENSOCKETDATA, CURLOPT_DEBUGDATA,
            ],
            context: Unmanaged.passUnretained(self).toOpaque()
        )
        try easy.set(CURLOPT_WRITEFUNCTION, receiveCallback)
        try easy.set(CURLOPT_READFUNCTION, sendCallback)
        try easy.set(CURLOPT_HEADERFUNCTION, headCallback)
        try easy.set(CURLOPT_NOPROGRESS, false)
        let pointer = easy.pointer
        try easy.check(ccurl_set_seek_function(pointer, seekCallback), CURLOPT_SEEKFUNCTION)
        try easy.check(ccurl_set_progress_function(pointer, progressCallback), CURLOPT_XFERINFOFUNCTION)
        try easy.check(ccurl_set_prerequest_function(pointer, prerequestCallback), CURLOPT_PREREQFUNCTION)
        try easy.check(ccurl_set_open_function(pointer, openCallback), CURLOPT_OPENSOCKETFUNCTION)
        if exchange.request.url.prefix(6).lowercased() == "https:" {
            try easy.check(ccurl_set_debug_function(pointer, debugCallback), CURLOPT_DEBUGFUNCTION)
            try easy.set(CURLOPT_VERBOSE, true)
        }
    }
}
