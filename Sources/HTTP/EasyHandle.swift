import CCurl

/// Owns one libcurl easy handle with its error buffer and header list.
struct EasyHandle: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    private let errorBuffer: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var places: UnsafeMutablePointer<curl_slist>?

    /// Throws `.other` when memory is out.
    init() throws(HTTPError) {
        guard let pointer = curl_easy_init() else { throw HTTPError(.other, "curl_easy_init failed") }
        self.pointer = pointer
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        ccurl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorBuffer)
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headers)
        curl_slist_free_all(places)
        errorBuffer.deallocate()
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try check(ccurl_set_long(pointer, option, value), option)
    }

    func set(_ option: CURLoption, _ value: Bool) throws(HTTPError) {
        try set(option, value ? 1 : 0)
    }

    /// nil resets the option.
    func set(_ option: CURLoption, _ value: String?) throws(HTTPError) {
        try check(ccurl_set_string(pointer, option, value), option)
    }

    func set(_ option: CURLoption, bytes: [UInt8]) throws(HTTPError) {
        try check(bytes.withUnsafeBytes { ccurl_set_blob(pointer, option, $0.baseAddress, $0.count) }, option)
    }

    /// Connects to another place than the URL's, in libcurl's form.
    mutating func set(connectTo place: String) throws(HTTPError) {
        guard let list = curl_slist_append(places, place) else { throw HTTPError(.other, "out of memory") }
        places = list
        try check(ccurl_set_list(pointer, CURLOPT_CONNECT_TO, places), CURLOPT_CONNECT_TO)
    }

    /// For the `..._LARGE` options.
    func set(large option: CURLoption, _ value: Int64) throws(HTTPError) {
        try check(ccurl_set_offset(pointer, option, curl_off_t(value)), option)
    }

    func set(_ option: CURLoption, _ function: ccurl_data_function) throws(HTTPError) {
        try check(ccurl_set_data_function(pointer, option, function), option)
    }

    /// `context` is what the callbacks get; it has to outlive the handle's transfers.
    func set(_ options: [CURLoption], context: UnsafeMutableRawPointer) throws(HTTPError) {
        for option in options {
            try check(ccurl_set_pointer(pointer, option, context), option)
        }
    }

    /// Lines in libcurl's form: "Name: value", "Name;" for an empty value, "Name:" to leave libcurl's own out.
    mutating func set(headerLines: [String]) throws(HTTPError) {
        for line in headerLines {
            guard let list = curl_slist_append(headers, line) else { throw HTTPError(.other, "out of memory") }
            headers = list
        }
        try check(ccurl_set_list(pointer, CURLOPT_HTTPHEADER, headers), CURLOPT_HTTPHEADER)
    }

    func check(_ code: CURLcode, _ option: CURLoption) throws(HTTPError) {
        guard code != CURLE_OK else { return }
        throw HTTPError(.other, "libcurl option \(option.rawValue): \(String(cString: curl_easy_strerror(code)))")
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        ccurl_get_long(pointer, info, &value)
        return value
    }

    func offset(_ info: CURLINFO) -> Int64 {
        var value: curl_off_t = 0
        ccurl_get_offset(pointer, info, &value)
        return Int64(value)
    }

    /// libcurl's own words for what went wrong last, else the code's. They may quote what the server sent.
    func errorText(_ code: CURLcode) -> String {
        let text = String(cString: errorBuffer[0] != 0 ? UnsafePointer(errorBuffer) : curl_easy_strerror(code))
        return String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
    }
}
