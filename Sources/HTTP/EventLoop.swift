import CCurl
import Glibc
import Logging

/// Runs all transfers of a client on one thread: epoll says which sockets are ready, libcurl does the rest.
/// Never leaves its thread.
final class EventLoop {
    typealias Instant = ContinuousClock.Instant

    private let mailbox: Mailbox
    private let multi: UnsafeMutableRawPointer
    private let poll: Int32
    private let places: Int
    private let logger: Logger
    private var placesTaken = 0
    private var streams = 0
    /// By `ObjectIdentifier` of the exchange, which the transfer keeps alive.
    private var transfers: [ObjectIdentifier: Transfer] = [:]
    private var waiting = FIFO<ObjectIdentifier>()
    private var reminders = DeadlineHeap<ObjectIdentifier>()
    private var readyHeads: [Transfer] = []
    /// When libcurl wants to be called without a socket being ready.
    private var timer: Instant?

    /// Throws `.other` when the process is out of memory or descriptors.
    init(mailbox: Mailbox, places: Int, logger: Logger) throws(HTTPError) {
        self.mailbox = mailbox
        self.places = max(places, 1)
        self.logger = logger
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poll >= 0 else {
            throw HTTPError(.other, "epoll_create1 failed: \(String(cString: strerror(errno)))", isRetryable: true)
        }
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: mailbox.descriptor))
        guard let multi = curl_multi_init(), epoll_ctl(poll, EPOLL_CTL_ADD, mailbox.descriptor, &event) == 0 else {
            close(poll)
            throw HTTPError(.other, "the event loop's handles couldn't be made")
        }
        self.multi = multi
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        ccurl_multi_set_socket_function(multi, socketCallback)
        ccurl_multi_set_timer_function(multi, timerCallback)
        keepConnections()
    }

    deinit {
        curl_multi_cleanup(multi)
        close(poll)
    }

    /// Returns when the mailbox is closed; whatever still runs then has failed.
    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while true {
            let (commands, isClosing) = mailbox.drain()
            for command in commands { handle(command) }
            if isClosing { break }
            fireTimers()
            finishTransfers()
            let count = epoll_wait(poll, &events, Int32(events.count), patience)
            if count < 0, errno != EINTR {
                logger.error("epoll_wait failed", metadata: ["errno": "\(errno)"])
                break
            }
            for event in events.prefix(Int(max(count, 0))) where event.data.fd != mailbox.descriptor {
                // No mask: libcurl looks itself, in both directions. An answer that came while a body is being
                // sent is then read before sending fails.
                act(event.data.fd)
            }
            finishTransfers()
        }
        mailbox.close()
        for command in mailbox.drain().commands { handle(command) }
        for transfer in Array(transfers.values) {
            end(transfer, .failure(HTTPError(.closed, "\(transfer.exchange.request.target): the client was shut down")))
        }
    }

    private func handle(_ command: Mailbox.Command) {
        switch command {
        case .start(let exchange): start(exchange)
        case .cancel(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }
            end(transfer, .failure(.cancelled(exchange.request)))
        case .resume(let exchange): transfers[ObjectIdentifier(exchange)]?.resume()
        }
    }

    // MARK: Transfers

    private func start(_ exchange: Exchange) {
        guard !exchange.wasCancelled else { return exchange.finish(.failure(.cancelled(exchange.request))) }
        do throws(HTTPError) {
            let transfer = try Transfer(exchange, loop: self)
            if let error = transfer.expiry(.now) { throw error }
            transfers[ObjectIdentifier(exchange)] = transfer
            remind(transfer)
            if !transfer.isCounted {
                streams += 1
                keepConnections()
                add(transfer)
            } else if placesTaken < places {
                takePlace(transfer)
            } else {
                waiting.append(ObjectIdentifier(exchange))
            }
        } catch {
            exchange.finish(.failure(error))
        }
    }

    private func takePlace(_ transfer: Transfer) {
        placesTaken += 1
        transfer.holdsPlace = true
        add(transfer)
    }

    private func add(_ transfer: Transfer) {
        transfer.retryAt = nil
        let result = curl_multi_add_handle(multi, transfer.easy.pointer)
        guard result == CURLM_OK else {
            let reason = String(cString: curl_multi_strerror(result))
            return end(transfer, .failure(HTTPError(.other, "\(transfer.exchange.request.target): \(reason)")))
        }
        transfer.isAdded = true
    }

    private func remove(_ transfer: Transfer) {
        guard transfer.isAdded else { return }
        curl_multi_remove_handle(multi, transfer.easy.pointer)
        transfer.isAdded = false
    }

    /// Ends a transfer that a callback has stopped.
    func end(_ transfer: Transfer) {
        end(transfer, .failure(transfer.ownFailure))
    }

    private func end(_ transfer: Transfer, _ outcome: Result<Void, HTTPError>) {
        guard transfers.removeValue(forKey: ObjectIdentifier(transfer.exchange)) != nil else { return }
        remove(transfer)
        transfer.deliverHead()
        transfer.exchange.finish(outcome)
        if !transfer.isCounted {
            streams -= 1
            keepConnections()
        } else if transfer.holdsPlace {
            placesTaken -= 1
        }
        while placesTaken < places, let next = waiting.popFirst() {
            // An address in the queue may belong to a later exchange by now.
            if let transfer = transfers[next], transfer.isCounted, !transfer.holdsPlace { takePlace(transfer) }
        }
    }

    /// Takes in what libcurl has finished, then hands over the heads that are complete: in this order, so that a
    /// response that came in one piece is over, and its connection kept, before its reader can drop it.
    private func finishTransfers() {
        repeat {
            var result = CURLE_OK
            while let easy = ccurl_next_finished(multi, &result) {
                guard let context = ccurl_get_private(easy) else { continue }
                let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                if transfer.wasBusy(result) { retryLater(transfer) } else { end(transfer, transfer.outcome(result)) }
            }
            let heads = readyHeads
            readyHeads = []
            for transfer in heads { transfer.deliverHead() }
        } while !readyHeads.isEmpty
    }

    func headIsReady(_ transfer: Transfer) {
        readyHeads.append(transfer)
    }

    private func retryLater(_ transfer: Transfer) {
        remove(transfer)
        transfer.retryAt = .now + transfer.retryDelay
        transfer.retryDelay = min(transfer.retryDelay * 2, .milliseconds(100))
        remind(transfer)
    }

    /// An event stream's connection isn't kept, but counted by libcurl: without room for it, each other one would
    /// be closed after use.
    private func keepConnections() {
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, places + streams)
    }

    // MARK: Sockets and time

    private func act(_ descriptor: Int32) {
        var running: Int32 = 0
        let result = curl_multi_socket_action(multi, descriptor, 0, &running)
        if result != CURLM_OK {
            logger.error("libcurl failed", metadata: ["reason": "\(String(cString: curl_multi_strerror(result)))"])
        }
    }

    func watch(_ descriptor: Int32, _ interest: Int32) {
        guard interest != CURL_POLL_REMOVE else {
            epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
            return
        }
        var event = epoll_event(events: 0, data: epoll_data_t(fd: descriptor))
        if interest & CURL_POLL_IN != 0 { event.events |= EPOLLIN.rawValue }
        if interest & CURL_POLL_OUT != 0 { event.events |= EPOLLOUT.rawValue }
        if epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) != 0, errno == EEXIST {
            epoll_ctl(poll, EPOLL_CTL_MOD, descriptor, &event)
        }
    }

    func setTimer(_ milliseconds: Int) {
        timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    /// Sees to it that the transfer is looked at when its next deadline comes.
    func remind(_ transfer: Transfer) {
        guard let deadline = transfer.deadline else { return }
        if let reminder = transfer.reminder, reminder <= deadline { return }
        transfer.reminder = deadline
        reminders.insert(ObjectIdentifier(transfer.exchange), at: deadline)
        if reminders.count > 256, reminders.count > 4 * transfers.count {
            reminders.compact { transfers[$0] != nil }
        }
    }

    private func fireTimers() {
        let now = Instant.now
        if let due = timer, due <= now {
            timer = nil
            act(CURL_SOCKET_TIMEOUT)
        }
        while let key = reminders.popDue(now) {
            guard let transfer = transfers[key] else { continue }
            transfer.reminder = nil
            if let error = transfer.expiry(now) {
                end(transfer, .failure(error))
                continue
            }
            if let retryAt = transfer.retryAt, retryAt <= now { add(transfer) }
            remind(transfer)
        }
    }

    /// How long to sleep, in milliseconds, rounded up; -1 for ever.
    private var patience: Int32 {
        guard let next = [timer, reminders.earliest].compactMap(\.self).min() else { return -1 }
        let wait = max(next - .now, .zero).components
        let milliseconds = wait.seconds.multipliedReportingOverflow(by: 1000).partialValue
        return Int32(clamping: milliseconds + (wait.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

extension HTTPError {
    fileprivate static func cancelled(_ request: HTTPRequest) -> HTTPError {
        HTTPError(.cancelled, "\(request.target): cancelled")
    }
}

private func loop(_ context: UnsafeMutableRawPointer?) -> EventLoop? {
    context.map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
}

private func socketCallback(
    _ easy: UnsafeMutableRawPointer?,
    _ descriptor: curl_socket_t,
    _ interest: Int32,
    _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
    loop(context)?.watch(descriptor, interest)
    return 0
}

private func timerCallback(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?)
    -> Int32
{
    loop(context)?.setTimer(milliseconds)
    return 0
}
