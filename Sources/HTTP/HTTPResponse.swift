/// A response whose body is still coming in.
public struct HTTPResponse: Sendable {
    /// The status code.
    public let status: Int
    /// The header fields.
    public let headers: HTTPHeaders
    /// The body, as it comes in. Nothing is decompressed.
    public let body: HTTPResponseBody
}

/// A response's body in pieces as they come, for one consumer. The server is slowed down when it isn't read;
/// when it, and all iterators of it, are dropped before their end, the transfer is cancelled.
public struct HTTPResponseBody: AsyncSequence, Sendable {
    /// One piece; never empty.
    public typealias Element = [UInt8]
    /// What ends it early.
    public typealias Failure = HTTPError

    /// Cancels the transfer with the last reference to the body, and keeps the client alive until then.
    fileprivate final class Owner: Sendable {
        let exchange: Exchange
        private let client: HTTPClient

        init(_ exchange: Exchange, client: HTTPClient) {
            self.exchange = exchange
            self.client = client
        }

        deinit {
            exchange.cancel()
        }
    }
    private let owner: Owner
    private let length: Int?

    init(_ exchange: Exchange, client: HTTPClient, length: Int?) {
        owner = Owner(exchange, client: client)
        self.length = length
    }

    /// Reads a body's pieces.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let owner: Owner

        fileprivate init(_ owner: Owner) {
            self.owner = owner
        }

        /// The next piece, nil after the last one; ends with `.cancelled` when the task is cancelled.
        public mutating func next() async throws(HTTPError) -> [UInt8]? {
            try await owner.exchange.next().get()
        }

        /// The next piece, as `next()`.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(HTTPError) -> [UInt8]? {
            try await owner.exchange.next().get()
        }
    }

    /// An iterator; only one may be in use.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(owner)
    }

    /// Reads the whole body.
    /// - Parameter limit: the most bytes to take; more end the transfer with `.bodyTooLarge`.
    public func collect(upTo limit: Int) async throws(HTTPError) -> [UInt8] {
        if let length, length > limit { throw tooLarge(limit) }
        var bytes: [UInt8] = []
        // Announced isn't sent yet: a hostile length reserves a megabyte at most.
        bytes.reserveCapacity(Swift.min(length ?? 0, 1 << 20))
        var pieces = makeAsyncIterator()
        while let piece = try await pieces.next() {
            guard piece.count <= limit - bytes.count else { throw tooLarge(limit) }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    private func tooLarge(_ limit: Int) -> HTTPError {
        owner.exchange.cancel()
        return HTTPError(.bodyTooLarge, "\(owner.exchange.request.target): the body has more than \(limit) bytes")
    }
}
