import Synchronization

/// A response's status and header fields.
struct ResponseHead: Sendable {
    var status: Int
    var headers: HTTPHeaders
}

/// What the loop's thread hands to the one caller who waits for a response: the head, then the body in pieces.
/// Bounded: past the high-water mark the loop is told to pause, below the low one it has to be asked to go on.
final class ResponseChannel: Sendable {
    private static let highWater = 256 * 1024
    private static let lowWater = 64 * 1024

    typealias HeadResult = Result<ResponseHead, HTTPError>
    typealias ChunkResult = Result<[UInt8]?, HTTPError>

    private struct State {
        var head: ResponseHead?
        var headWaiter: CheckedContinuation<HeadResult, Never>?
        var chunks = FIFO<[UInt8]>()
        var buffered = 0
        var paused = false
        var end: Result<Void, HTTPError>?
        var reader: CheckedContinuation<ChunkResult, Never>?
    }
    private let state = Mutex(State())

    // MARK: The loop's side

    func deliver(_ head: ResponseHead) {
        let waiter = state.withLock { state in
            state.head = head
            return state.headWaiter.take()
        }
        waiter?.resume(returning: .success(head))
    }

    /// Takes a piece of the body; false (and nothing taken) when the transfer has to pause.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (taken, reader): (Bool, CheckedContinuation<ChunkResult, Never>?) = state.withLock { state in
            if let reader = state.reader.take() { return (true, reader) }
            guard state.buffered < Self.highWater else {
                state.paused = true
                return (false, nil)
            }
            state.chunks.append([UInt8](bytes))
            state.buffered += bytes.count
            return (true, nil)
        }
        reader?.resume(returning: .success([UInt8](bytes)))
        return taken
    }

    /// The end, good or bad; only the first one counts.
    func finish(_ end: Result<Void, HTTPError>) {
        let (head, reader) = state.withLock { state in
            if state.end == nil { state.end = end }
            if case .failure(let error) = end, error.code == .cancelled { state.chunks.removeAll() }
            return (state.headWaiter.take(), state.reader.take())
        }
        head?.resume(returning: .failure(Self.error(of: end)))
        reader?.resume(returning: end.map { nil })
    }

    // MARK: The caller's side

    func head() async -> HeadResult {
        await withCheckedContinuation { continuation in
            let result: HeadResult? = state.withLock { state in
                if let head = state.head { return .success(head) }
                if let end = state.end { return .failure(Self.error(of: end)) }
                state.headWaiter = continuation
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
    }

    /// The next piece, nil after the last one. `resume` is called when the loop has to be asked to go on.
    func next(resume: () -> Void) async -> ChunkResult {
        await withCheckedContinuation { continuation in
            let (result, isLow): (ChunkResult?, Bool) = state.withLock { state in
                if let chunk = state.chunks.popFirst() {
                    state.buffered -= chunk.count
                    let isLow = state.paused && state.buffered <= Self.lowWater
                    if isLow { state.paused = false }
                    return (.success(chunk), isLow)
                }
                if let end = state.end { return (end.map { nil }, false) }
                if state.reader != nil {
                    return (
                        .failure(HTTPError(.badRequest, "a response's body has one reader; a second one came")), false
                    )
                }
                state.reader = continuation
                return (nil, false)
            }
            if isLow { resume() }
            if let result { continuation.resume(returning: result) }
        }
    }

    private static func error(of end: Result<Void, HTTPError>) -> HTTPError {
        switch end {
        case .failure(let error): error
        case .success: HTTPError(.protocolViolation, "the transfer ended without a response")
        }
    }
}
