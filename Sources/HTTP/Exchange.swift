import Synchronization

/// One request and its response, as its caller and the loop share it.
final class Exchange: Sendable {
    let request: HTTPRequest
    let started = ContinuousClock.now
    let response = ResponseChannel()
    /// nil unless the request's body is a stream.
    let upload: UploadChannel?
    private let mailbox: Mailbox
    private let isCancelled = Atomic(false)
    private let pump = Mutex(Pump())

    /// The task that pulls the request body's source. It lives as long as the transfer at most.
    private struct Pump {
        var task: Task<Void, Never>?
        var isOver = false
    }

    init(_ request: HTTPRequest, mailbox: Mailbox) {
        self.request = request
        self.mailbox = mailbox
        if case .stream(let length, _) = request.body {
            upload = UploadChannel(length: length)
        } else {
            upload = nil
        }
    }

    // MARK: The caller's side

    /// Runs the transfer until the response's head is there.
    func run() async -> ResponseChannel.HeadResult {
        startPump()
        if !mailbox.post(.start(self)) {
            let closed = HTTPError(.closed, "\(request.target): the client is shut down")
            finish(.failure(mailbox.refusal ?? closed))
        }
        let result = await withTaskCancellationHandler {
            await response.head()
        } onCancel: {
            cancel()
        }
        // Without a good response the source is done with when the caller is back.
        if isPumpOver { await pumpEnded() }
        return result
    }

    /// The next piece of the response's body, nil after the last one.
    func next() async -> ResponseChannel.ChunkResult {
        await withTaskCancellationHandler {
            await response.next { mailbox.post(.resume(self)) }
        } onCancel: {
            cancel()
        }
    }

    /// Ends the transfer, whether it runs, waits, hasn't been seen by the loop yet, or is over.
    func cancel() {
        // The flag is for the loop: a task cancelled before it started cancels first and starts afterwards.
        guard !isCancelled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        mailbox.post(.cancel(self))
    }

    private func startPump() {
        guard let upload, case .stream(_, let source) = request.body else { return }
        let task = Task {
            await upload.pump(source) { mailbox.post(.resume(self)) }
        }
        let isOver = pump.withLock { pump in
            pump.task = task
            return pump.isOver
        }
        if isOver { task.cancel() }
    }

    private var isPumpOver: Bool { pump.withLock { $0.isOver } }

    private func pumpEnded() async {
        await pump.withLock { $0.task }?.value
    }

    // MARK: The loop's side

    var wasCancelled: Bool { isCancelled.load(ordering: .acquiring) }

    /// No more of the request's body is wanted.
    func endUpload() {
        upload?.close()
        let task = pump.withLock { pump in
            pump.isOver = true
            return pump.task
        }
        task?.cancel()
    }

    func finish(_ end: Result<Void, HTTPError>) {
        endUpload()
        response.finish(end)
    }
}
