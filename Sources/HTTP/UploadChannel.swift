import Synchronization

/// Hands a streamed request body from its source to the loop's thread, one piece ahead of what is being sent.
final class UploadChannel: Sendable {
    /// What the loop finds when it wants to send.
    enum Supply {
        case chunk([UInt8])
        case wait
        case end
        case failed(HTTPError)
    }

    private struct State {
        /// The source isn't touched before the server is ready for the body.
        var wanted = false
        var chunk: [UInt8]?
        var end: Result<Void, HTTPError>?
        /// The loop paused sending and has to be asked to go on.
        var starved = false
        var closed = false
        var producer: CheckedContinuation<Bool, Never>?
    }
    private let state = Mutex(State())
    private let length: Int64?

    /// `length`: what the source has to give in all, nil when unknown.
    init(length: Int64?) {
        self.length = length
    }

    // MARK: The loop's side

    func take() -> Supply {
        let (supply, producer): (Supply, CheckedContinuation<Bool, Never>?) = state.withLock { state in
            state.wanted = true
            if let chunk = state.chunk.take() { return (.chunk(chunk), state.producer.take()) }
            switch state.end {
            case .success: return (.end, nil)
            case .failure(let error): return (.failed(error), nil)
            case nil:
                state.starved = true
                return (.wait, state.producer.take())
            }
        }
        producer?.resume(returning: true)
        return supply
    }

    /// Nothing more will be taken.
    func close() {
        let producer = state.withLock { state in
            state.closed = true
            state.chunk = nil
            return state.producer.take()
        }
        producer?.resume(returning: false)
    }

    // MARK: The source's side

    /// Carries the whole source over; returns when it ended or when nothing more is wanted.
    /// `resume` is called when the loop has to be asked to go on sending.
    func pump<Source: AsyncSequence>(_ source: Source, resume: @Sendable () -> Void) async
    where Source.Element == [UInt8] {
        guard await isWanted() else { return }
        var count: Int64 = 0
        do {
            for try await chunk in source where !chunk.isEmpty {
                count += Int64(chunk.count)
                if let length, count > length {
                    throw HTTPError(.bodyFailed, "the body's source gave more than the \(length) bytes announced")
                }
                supply(chunk, resume)
                guard await isWanted() else { return }
            }
            if let length, count < length {
                throw HTTPError(.bodyFailed, "the body's source gave \(count) of the \(length) bytes announced")
            }
            finish(.success(()), resume)
        } catch let error as HTTPError where error.code == .bodyFailed {
            finish(.failure(error), resume)
        } catch {
            finish(
                .failure(HTTPError(.bodyFailed, "the body's source failed: \(type(of: error))", cause: error)),
                resume
            )
        }
    }

    private func isWanted() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.closed { return false }
                if state.wanted, state.chunk == nil { return true }
                state.producer = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func supply(_ chunk: [UInt8], _ resume: () -> Void) {
        let starved = state.withLock { state in
            guard !state.closed else { return false }
            state.chunk = chunk
            return state.starved.take()
        }
        if starved { resume() }
    }

    private func finish(_ end: Result<Void, HTTPError>, _ resume: () -> Void) {
        let starved = state.withLock { state in
            state.end = end
            return state.starved.take()
        }
        if starved { resume() }
    }
}

extension Bool {
    /// Reads and clears.
    fileprivate mutating func take() -> Bool {
        defer { self = false }
        return self
    }
}
