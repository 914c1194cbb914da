import HTTP
import Logging
import Runtime
import Util

/// Follows one container's log: reads it on from where it was, again and again, until the container has ended.
struct LogFollowing {
    let log: ContainerLog
    let logger: Logger
    var backoff = Backoff.reconnecting
    private var start: Start

    typealias Delivery = @Sendable (OutputBatch) async throws -> Void

    /// Why a following ended early.
    enum Failure: Error {
        /// The container isn't there any more.
        case gone
        /// The engine has no log of it to give, whenever it is asked.
        case unreadable(DockerError)
        /// The engine can't be asked.
        case engine(DockerError)
        /// Who takes the lines has failed.
        case delivery(any Error)
    }

    /// Where a reading begins.
    private struct Start {
        var place: LogPosition?
        var anchor: Int64 = 0
        var hasGap = false
        /// Whether the engine that was followed seemed to give again what it gave before. What there is, it gives right.
        var isInDoubt = false
    }

    /// How a reading ended by itself.
    private enum Ending {
        /// The engine had no more.
        case complete
        /// The log isn't as it was; the place was looked for anew.
        case again
    }

    init(engine: Engine, container: String, logger: Logger, place: LogPosition?) {
        log = ContainerLog(engine: engine, container: container)
        self.logger = logger
        start = Start(place: place)
    }

    /// How often nothing came of trying.
    private var failures = 0

    mutating func run(waiting: Bool, _ deliver: Delivery) async throws(Failure) {
        guard waiting else {
            while try await read(follow: false, hasEnded: try await log.hasEnded(), deliver) == .again {
                try await pause()
            }
            return
        }
        var hasEnded = false
        while true {
            var isComplete = false
            try await attempt { (following) async throws(Failure) in
                let follow = !hasEnded && !following.start.isInDoubt
                isComplete = try await following.read(follow: follow, hasEnded: hasEnded, deliver) == .complete
            }
            if hasEnded, isComplete { return }
            // Whether the engine ended the stream or it broke: what the last reading missed is read once more.
            var wasEnded = false
            if !hasEnded {
                try await attempt { (following) async throws(Failure) in
                    wasEnded = try await following.log.hasEnded()
                }
            }
            if wasEnded { hasEnded = true } else { try await pause() }
        }
    }

    /// Does what may fail while the engine is away, or gives no sense for once.
    private mutating func attempt(_ body: (inout LogFollowing) async throws(Failure) -> Void) async throws(Failure) {
        do throws(Failure) { try await body(&self) } catch {
            guard case .engine(let cause) = error, cause.isWorthRepeating(failures) else { throw error }
            tell(cause)
        }
    }

    private mutating func pause() async throws(Failure) {
        failures += 1
        do { try await Task.sleep(for: backoff.delay(attempt: failures, seed: log.container)) } catch {
            throw .engine(DockerError(.cancelled, "cancelled", cause: error))
        }
    }

    /// One reading, from where the last one came to.
    private mutating func read(follow: Bool, hasEnded: Bool, _ deliver: Delivery) async throws(Failure) -> Ending {
        var reader = LogReader(
            after: start.place,
            anchor: start.anchor,
            hasGap: start.hasGap,
            follows: follow
        )
        let response = try await log.open(since: reader.anchor, follow: follow)
        if let place = start.place, place.anchor > 0, log.wasSetBack(response, since: place.last.time) {
            return try await search(place, from: 0)
        }
        var pieces = response.body.makeAsyncIterator()
        while let piece = try await ContainerLog.next(&pieces) {
            let batch = try ContainerLog.parsed { () throws(DockerError) in try reader.add(piece) }
            if let batch { try await hand(batch, reader.place, deliver) }
            if reader.repeated != nil {
                start = Start(place: reader.place, hasGap: start.hasGap, isInDoubt: true)
                return .again
            }
            if reader.isLost, let place = start.place { return try await search(place, from: reader.anchor) }
        }
        guard reader.isBetweenFrames else {
            throw .engine(DockerError(.badAnswer, "the engine's log stream ends in the middle of a frame"))
        }
        guard !follow else { return .complete }
        // All there is, and the place isn't in it.
        if !reader.isPastPosition, let place = start.place { return try await search(place, from: reader.anchor) }
        if hasEnded, let batch = reader.finish() { try await hand(batch, reader.place, deliver) }
        if let batch = reader.gap() { try await hand(batch, reader.place, deliver) }
        // Also frames without a line's end: an engine that is followed from here on has them behind it.
        start = Start(place: reader.place ?? start.place, anchor: start.anchor, hasGap: start.hasGap)
        return .complete
    }

    private mutating func hand(_ batch: OutputBatch, _ place: LogPosition?, _ deliver: Delivery) async throws(Failure) {
        do { try await deliver(batch) } catch { throw .delivery(error) }
        start = Start(place: place)
        failures = 0
    }

    /// Looks for a place's last frame in a log that has lost its front, or is another's.
    private mutating func search(_ place: LogPosition, from anchor: Int64) async throws(Failure) -> Ending {
        var search = LogSearch(place, anchor: anchor)
        let response = try await log.open(since: anchor, follow: false)
        var pieces = response.body.makeAsyncIterator()
        while !search.isOver, let piece = try await ContainerLog.next(&pieces) {
            try ContainerLog.parsed { () throws(DockerError) in try search.add(piece) }
        }
        if let found = search.result {
            start = Start(place: found.position, hasGap: start.hasGap || found.hasGap)
        } else {
            start = Start(place: nil, anchor: place.anchor, hasGap: true)
        }
        logger.info(
            "a container's log has turned over",
            metadata: ["container": "\(log.container)", "gap": "\(start.hasGap)"]
        )
        return .again
    }

    /// An engine that is away is told of by those who watch its events, once instead of once for each container.
    private func tell(_ error: DockerError) {
        let isAway = error.code == .unreachable || error.code == .timedOut
        logger.log(
            level: isAway || failures > 0 ? .debug : .warning,
            "a container's output can't be read, trying again",
            metadata: ["container": "\(log.container)", "error": "\(error)"]
        )
    }
}

extension DockerError {
    /// Whether another attempt may do better, after so many for nothing.
    fileprivate func isWorthRepeating(_ failures: Int) -> Bool {
        switch code {
        case .unreachable, .timedOut, .failed: true
        // It may have been cut; always the same nonsense, as of a container with a terminal, is somebody's to know.
        case .badAnswer: failures < 3
        case .setting, .notFound, .conflict, .refused, .cancelled: false
        }
    }
}
