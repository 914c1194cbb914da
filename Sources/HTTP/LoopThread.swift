import CCurl
import Glibc
import Logging

/// The thread an event loop runs on.
enum LoopThread {
    /// libcurl wants this once, before anything else; it is thread-safe here, and never undone.
    private static let isCurlReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    private final class Work {
        let mailbox: Mailbox
        let places: Int
        let logger: Logger

        init(mailbox: Mailbox, places: Int, logger: Logger) {
            self.mailbox = mailbox
            self.places = places
            self.logger = logger
        }

        func run() {
            // SIGPIPE goes to the thread that writes: OpenSSL doesn't ask for it to be left out, and libcurl
            // without signals doesn't ignore it. All other signals are for other threads.
            var signals = sigset_t()
            sigfillset(&signals)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            ccurl_name_thread("http-loop")
            mailbox.loopStarted()
            do {
                try EventLoop(mailbox: mailbox, places: places, logger: logger).run()
            } catch {
                logger.error("no event loop", metadata: ["reason": "\(error.message)"])
                mailbox.refuse(error)
            }
            mailbox.loopEnded()
        }
    }

    /// Starts the thread; it ends when the mailbox is closed.
    static func start(_ mailbox: Mailbox, places: Int, logger: Logger) {
        guard isCurlReady else {
            mailbox.refuse(HTTPError(.other, "curl_global_init failed"))
            return mailbox.loopEnded()
        }
        let work = Unmanaged.passRetained(Work(mailbox: mailbox, places: places, logger: logger))
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, threadMain, work.toOpaque())
        guard result == 0 else {
            work.release()
            mailbox.refuse(HTTPError(.other, "no thread for the event loop: \(String(cString: strerror(result)))"))
            return mailbox.loopEnded()
        }
        pthread_detach(thread)
    }

    private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run() }
        return nil
    }
}
