import CCurl
import Glibc

extension HTTPError {
    /// libcurl's verdict on a transfer.
    /// - Parameters:
    ///   - target: method and URL, for the message.
    ///   - systemError: errno of what couldn't be opened or connected, or 0.
    init(_ result: CURLcode, _ text: String, target: String, systemError: Int32) {
        let code: Code
        var isRetryable: Bool?
        switch result {
        case CURLE_URL_MALFORMAT: code = .badURL
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: code = .unresolved
        case CURLE_COULDNT_CONNECT:
            let isOutOfDescriptors = systemError == EMFILE || systemError == ENFILE
            code = isOutOfDescriptors ? .other : .refused
            isRetryable = isOutOfDescriptors || systemError != EACCES
        case CURLE_OPERATION_TIMEDOUT: code = .timeoutConnect
        case CURLE_SSL_CONNECT_ERROR:
            // A connection that breaks in the handshake ends like this too.
            code = .tls
            isRetryable = true
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_USE_SSL_FAILED,
            CURLE_SSL_CLIENTCERT:
            code = .tls
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND:
            code = .reset
        // "Received HTTP/0.9 when not allowed" is reported as an unsupported protocol.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_UPLOAD_FAILED, CURLE_RANGE_ERROR, CURLE_FILESIZE_EXCEEDED:
            code = .protocolViolation
        default: code = .other
        }
        let reason = systemError != 0 && result == CURLE_COULDNT_CONNECT ? String(cString: strerror(systemError)) : text
        self.init(code, "\(target): \(reason)", isRetryable: isRetryable)
    }
}
