extension HTTPRequestBody {
    /// A streamed body from any sequence of pieces, whatever it throws: another response's body, an `AsyncStream`.
    /// - Parameters:
    ///   - length: the bytes it gives in all; nil when unknown.
    ///   - pieces: the source, as in `.stream`.
    public static func stream<Source: AsyncSequence & Sendable>(length: Int64? = nil, of pieces: Source)
        -> HTTPRequestBody
    where Source.Element == [UInt8] {
        .stream(length: length, AnyFailure(base: pieces))
    }
}

/// A sequence whose failure's type is erased; the standard library has no such thing.
private struct AnyFailure<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable {
    typealias Failure = any Error
    let base: Base

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator

        mutating func next() async throws -> Base.Element? {
            try await base.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.makeAsyncIterator())
    }
}
