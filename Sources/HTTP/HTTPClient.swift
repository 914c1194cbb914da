import Logging

/// An HTTP/1.1 client over TCP, TLS and unix sockets; one event-loop thread carries all its transfers.
public final class HTTPClient: Sendable {
    private let mailbox: Result<Mailbox, HTTPError>
    private let userAgent: String

    /// Starts the client's thread.
    /// - Parameters:
    ///   - maxConnections: how many requests may be under way at once, and how many connections are kept for the
    ///     next ones; further requests wait, as long as their connect deadline allows. Event streams (requests without
    ///     an idle deadline) hold theirs for hours: they neither count nor wait.
    ///   - userAgent: sent unless a request brings its own.
    public init(maxConnections: Int = 64, userAgent: String = "the0-runtime") {
        self.userAgent = userAgent
        do throws(HTTPError) {
            let mailbox = try Mailbox()
            LoopThread.start(mailbox, places: maxConnections, logger: Logger(label: "http"))
            self.mailbox = .success(mailbox)
        } catch {
            mailbox = .failure(error)
        }
    }

    deinit {
        shutdown()
    }

    /// Sends a request and returns when the response's head is there; the body streams. Any status is a response.
    /// Throws `HTTPError`; a cancelled task's request ends at once with `.cancelled`.
    public func execute(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        var request = request
        if !request.headers.contains(where: { $0.isNamed("User-Agent") }) {
            request.headers.append(HTTPHeader(name: "User-Agent", value: userAgent))
        }
        try request.check()
        guard !Task.isCancelled else { throw HTTPError(.cancelled, "\(request.target): cancelled") }
        let exchange = Exchange(request, mailbox: try mailbox.get())
        let head = try await exchange.run().get()
        // What these announce is what another request's response would have.
        let isBodiless = request.method == .head || head.status == 304
        let length = isBodiless ? nil : head.headers.first("Content-Length").flatMap { Int($0) }
        return HTTPResponse(
            status: head.status,
            headers: head.headers,
            body: HTTPResponseBody(exchange, client: self, length: length)
        )
    }

    /// Ends the thread; transfers that run fail with `.closed`, as do later ones. May be called again.
    public func shutdown() {
        guard case .success(let mailbox) = mailbox else { return }
        mailbox.close()
        mailbox.waitForEnd()
    }
}
