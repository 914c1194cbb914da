import CCurl
import Glibc

/// One exchange as the loop's thread sees it: the libcurl handle and all that its callbacks touch.
/// Never leaves that thread, which is why nothing here is locked.
final class Transfer {
    typealias Instant = ContinuousClock.Instant

    let exchange: Exchange
    unowned let loop: EventLoop
    var easy: EasyHandle
    /// Whether the handle is in the loop's multi handle, where it holds a connection.
    var isAdded = false
    /// Whether one of the loop's places is taken; event streams take none.
    let isCounted: Bool
    var holdsPlace = false
    /// When to try again to connect to a listener whose queue is full, and how long to wait the next time.
    var retryAt: Instant?
    var retryDelay = Duration.milliseconds(2)
    /// The heap has a reminder no later than this.
    var reminder: Instant?

    private(set) var isConnected = false
    private(set) var isPaused = false
    private var lastActivity: Instant
    private var bytesSeen: (received: Int64, sent: Int64) = (0, 0)
    private var parser = HeadParser()
    private var body: BodySender
    private var openError: Int32 = 0
    /// The description of a fatal alert from the other side.
    var tlsAlert: UInt8?
    /// Why a callback stopped the transfer.
    private var failure: HTTPError?
    /// A complete head that hasn't been handed over yet.
    private var head: ResponseHead?

    init(_ exchange: Exchange, loop: EventLoop) throws(HTTPError) {
        self.exchange = exchange
        self.loop = loop
        isCounted = exchange.request.deadlines.idle != nil
        lastActivity = exchange.started
        body = BodySender(exchange)
        easy = try EasyHandle()
        try configure()
    }

    // MARK: Deadlines

    /// The next instant at which `expiry` may have something to say.
    var deadline: Instant? {
        let deadlines = exchange.request.deadlines
        var candidates: [Instant] = []
        if let retryAt { candidates.append(retryAt) }
        if !isConnected { candidates.append(exchange.started + deadlines.connect.clamped) }
        if isConnected, !isPaused, let idle = deadlines.idle { candidates.append(lastActivity + idle.clamped) }
        if let total = deadlines.total { candidates.append(exchange.started + total.clamped) }
        return candidates.min()
    }

    /// The deadline that has passed, if any.
    func expiry(_ now: Instant) -> HTTPError? {
        let deadlines = exchange.request.deadlines
        let target = exchange.request.target
        if let total = deadlines.total, exchange.started + total.clamped <= now {
            return HTTPError(.timeoutTotal, "\(target): not done after \(total)")
        }
        if !isConnected, exchange.started + deadlines.connect.clamped <= now {
            let state = holdsPlace || !isCounted ? "not connected" : "no connection free"
            return HTTPError(.timeoutConnect, "\(target): \(state) after \(deadlines.connect)")
        }
        if isConnected, !isPaused, let idle = deadlines.idle, lastActivity + idle.clamped <= now {
            return HTTPError(.timeoutIdle, "\(target): no byte either way for \(idle)")
        }
        return nil
    }

    // MARK: Between callbacks

    /// Hands a complete head over.
    func deliverHead() {
        guard let head else { return }
        self.head = nil
        exchange.response.deliver(head)
        // libcurl stops sending after an error answer, but waits for a paused body for ever.
        if head.status >= 400, isPaused { resume() }
    }

    /// Goes on in both directions; a callback that still can't will pause again.
    func resume() {
        guard isPaused, isAdded else { return }
        isPaused = false
        lastActivity = .now
        let result = curl_easy_pause(easy.pointer, CURLPAUSE_CONT)
        if result != CURLE_OK, failure == nil { failure = error(result) }
        if failure != nil { loop.end(self) } else { loop.remind(self) }
    }

    /// Whether the listener's queue was full. TCP would wait; connecting to a unix socket ends with EAGAIN, which
    /// libcurl takes for "in progress" and then gives up without a reason, unlike for all other errors.
    func wasBusy(_ result: CURLcode) -> Bool {
        result == CURLE_COULDNT_CONNECT && exchange.request.unixSocket != nil && openError == 0
            && [0, Int(EAGAIN)].contains(easy.long(CURLINFO_OS_ERRNO))
    }

    /// How the transfer ended.
    func outcome(_ result: CURLcode) -> Result<Void, HTTPError> {
        if let failure { return .failure(failure) }
        if result == CURLE_OK { return .success(()) }
        // The server had said all it wanted and closed, while we were still sending.
        let announced = easy.offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
        if result == CURLE_SEND_ERROR, parser.isComplete, announced >= 0, announced == bytesSeen.received {
            return .success(())
        }
        return .failure(error(result))
    }

    /// Why a callback stopped the transfer, for an end without libcurl's verdict.
    var ownFailure: HTTPError {
        failure ?? HTTPError(.other, "\(exchange.request.target): stopped")
    }

    private func error(_ result: CURLcode) -> HTTPError {
        let reason = openError != 0 ? openError : Int32(truncatingIfNeeded: easy.long(CURLINFO_OS_ERRNO))
        let text = easy.errorText(result)
        if let tlsAlert {
            return HTTPError(.tls, "\(exchange.request.target): the server sent TLS alert \(tlsAlert): \(text)")
        }
        return HTTPError(result, text, target: exchange.request.target, systemError: reason)
    }

    // MARK: Callbacks

    func open(_ address: UnsafePointer<curl_sockaddr>) -> curl_socket_t {
        tlsAlert = nil
        let descriptor = ccurl_open_socket(address)
        openError = descriptor == CURL_SOCKET_BAD ? errno : 0
        return descriptor
    }

    /// Called with a connection at hand, before the request is sent on it; false stops the transfer.
    func willSend() -> Bool {
        // libcurl sends a request again when a kept connection turns out to be dead before a byte of the
        // response came. Whether the server has acted on it isn't known then (RFC 9110, 9.2.2).
        if isConnected, !exchange.request.method.isIdempotent {
            failure = HTTPError(.reset, "\(exchange.request.target): the connection broke after the request was sent")
            return false
        }
        isConnected = true
        lastActivity = .now
        loop.remind(self)
        return true
    }

    func send(_ target: UnsafeMutableRawBufferPointer) -> Int {
        lastActivity = .now
        switch body.copy(to: target) {
        case .copied(let count): return count
        case .pause:
            isPaused = true
            return Int(CURL_READFUNC_PAUSE)
        case .failed(let error):
            failure = HTTPError(error.code, "\(exchange.request.target): \(error.message)", cause: error.cause)
            return Int(CURL_READFUNC_ABORT)
        }
    }

    func rewind() -> Bool {
        body.rewind()
    }

    func receiveHead(_ line: UnsafeRawBufferPointer) -> Bool {
        lastActivity = .now
        do {
            let status = easy.long(CURLINFO_RESPONSE_CODE)
            if let fields = try parser.take(line, status: status) {
                head = ResponseHead(status: status, headers: fields)
                if status >= 400 { exchange.endUpload() }
                loop.headIsReady(self)
            }
            return true
        } catch {
            failure = HTTPError(error.code, "\(exchange.request.target): \(error.message)")
            return false
        }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastActivity = .now
        guard exchange.response.append(bytes) else {
            isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        return bytes.count
    }

    func progressed(received: Int64, sent: Int64) {
        guard bytesSeen != (received, sent) else { return }
        bytesSeen = (received, sent)
        lastActivity = .now
    }
}

extension HTTPMethod {
    /// RFC 9110, 9.2.2.
    fileprivate var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete: true
        case .post, .patch: false
        }
    }
}

extension Duration {
    /// Between nothing and a century, so that it can be added to an instant.
    fileprivate var clamped: Duration {
        min(max(self, .zero), .seconds(100 * 365 * 86_400))
    }
}
