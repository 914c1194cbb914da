import HTTP
import Logging
import Model
import Synchronization
import Util

/// Listens to the engine's events on one stream, and says whose bot to look at again.
///
/// Events are never the only source. The engine keeps 256 of them and skips a listener that is slow by 100 ms (moby #36928), so
/// everything is looked at again after each connection, and by the reconciler from time to time.
struct EventWatch: Sendable {
    let engine: Engine
    let kind: ExecutableKind
    let instance: String
    let logger: Logger
    var backoff = Backoff.reconnecting
    /// How often the engine is asked whether it is still there while it says nothing. A stream that died without a word, as
    /// behind a firewall that forgot it, looks like one on which nothing happens.
    var heartbeat: Duration = .seconds(15)
    let wake: @Sendable (BotID?) -> Void

    /// Longer than any event that the engine writes: labels are bounded by what a request may hold.
    private static let longestLine = 4 << 20

    /// Watches until cancelled.
    func run() async {
        var since: Timestamp?
        var attempt = 0
        while !Task.isCancelled {
            let seen = Progress(since: since)
            do {
                try await listen(seen)
                logger.info("Docker engine ended its event stream")
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("Docker engine's events can't be had, trying again", metadata: ["error": "\(error)"])
            }
            since = seen.last
            attempt = seen.isConnected ? 1 : attempt + 1
            do { try await Task.sleep(for: backoff.delay(attempt: attempt, seed: instance)) } catch { return }
        }
    }

    /// How far a connection came.
    private final class Progress: Sendable {
        private let state: Mutex<(last: Timestamp?, isConnected: Bool)>

        init(since: Timestamp?) {
            state = Mutex((since, false))
        }

        /// The time of the last event.
        var last: Timestamp? { state.withLock { $0.last } }
        var isConnected: Bool { state.withLock { $0.isConnected } }

        func connected() { state.withLock { $0.isConnected = true } }
        func saw(_ time: Timestamp) { state.withLock { $0.last = max(time, $0.last ?? time) } }
    }

    /// One connection: ends when the stream does, or when the engine doesn't answer beside it.
    private func listen(_ progress: Progress) async throws {
        // The engine sends the head before it begins to listen, so without a replay an event in between would be lost.
        let since: Timestamp
        if let last = progress.last { since = last } else { since = try await engine.clock() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await read(since: since, progress) }
            group.addTask {
                while true {
                    try await Task.sleep(for: heartbeat)
                    try await engine.ping()
                    guard progress.isConnected else {
                        throw DockerError(
                            .timedOut,
                            "GET /events: no answer, although the engine answers other requests"
                        )
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func read(since: Timestamp, _ progress: Progress) async throws(DockerError) {
        var call = EngineCall(method: .get, path: "/events", deadlines: EngineCall.events)
        call.query = [("since", since.engineSeconds)]
        call.filter([
            ("type", ["container"]), ("label", ["\(Label.managed)=true"]), ("event", EngineEvent.actions),
        ])
        let response = try await engine.open(call)
        guard response.status == 200 else {
            let body: [UInt8]
            do { body = try await response.body.collect(upTo: call.limit) } catch { throw DockerError(error) }
            return try EngineAnswer(call: call, status: response.status, body: body).expect(200)
        }
        progress.connected()
        wake(nil)
        var lines = LineSplitter(limit: EventWatch.longestLine)
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: [UInt8]?
            do { piece = try await pieces.next() } catch { throw DockerError(error) }
            guard let piece else { return }
            for line in lines.add(piece) where !line.isEmpty { take(line, progress) }
        }
    }

    private func take(_ line: [UInt8], _ progress: Progress) {
        do throws(DockerError) {
            guard let event = try EngineEvent(line) else { return }
            progress.saw(event.time)
            guard event.concerns(kind, instance: instance) else { return }
            wake(event.id)
            // What comes of it is said once its container was looked at, which an engine that is clearing up takes its time for.
            if let code = event.exitCode {
                let metadata: Logger.Metadata = ["bot": "\(event.id)", "exit_code": "\(code.escapedForMessage)"]
                logger.debug("bot ended", metadata: metadata)
            }
        } catch {
            // Whatever it was, it may have been a bot's end.
            logger.warning("unreadable event, looking at everything", metadata: ["error": "\(error)"])
            wake(nil)
        }
    }
}

extension Backoff {
    /// From 100 ms to 10 s: a socket of this machine is back in no time, and what is missed is looked for anyway.
    static let reconnecting =
        (try? Backoff(initial: .milliseconds(100), multiplier: 2, maximum: .seconds(10), jitter: 0.2)) ?? .standard
}

extension Timestamp {
    /// Seconds and nanoseconds, as the engine takes a time in a query.
    fileprivate var engineSeconds: String {
        let nanoseconds = nanosecondsSince1970 - secondsSince1970 * 1_000_000_000
        let digits = String(nanoseconds)
        return "\(secondsSince1970)." + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    }
}
