public import Logging
public import Util

/// Sees to it that of several processes one does the work, by a Lease, as client-go's `leaderelection` does.
///
/// A leader that can't renew its Lease cancels its work ``LeaseTiming/renewDeadline`` after the last renewal was begun; another
/// one may begin ``LeaseTiming/duration`` after it at the earliest. The difference is what the work has to end in. As long as it
/// does, and clocks run at about the same speed, two are never at work at the same time.
public struct LeaderElection<C: Clock<Duration>>: Sendable {
    /// How a term ended.
    public enum End: Sendable, Hashable {
        /// The work has ended, by itself or since the task was cancelled. The Lease was given back.
        case finished
        /// The Lease is somebody else's or couldn't be renewed, for this reason; the work was cancelled and has ended.
        case lost(reason: String)
    }

    let leases: Resources<Lease>
    let name: String
    /// Who this process is; no other one has the same.
    public let identity: String
    let timing: LeaseTiming
    let clock: C
    let now: @Sendable () -> Timestamp
    let jitter: @Sendable () -> Double
    let logger: Logger

    /// One contender.
    /// - Parameters:
    ///   - leases: the Leases of the namespace.
    ///   - name: the Lease's name, the same for all contenders.
    ///   - identity: who this process is, different for each one, also for two that follow each other.
    ///   - timing: when what is done.
    ///   - clock: what intervals are measured with.
    ///   - now: the wall clock, for the times in the Lease, which only people read.
    ///   - jitter: by how much of itself the time between two attempts to get the Lease is longer, at random, so that
    ///     contenders don't all ask at once.
    ///   - logger: told when leadership comes and goes.
    public init(
        leases: Resources<Lease>,
        name: String,
        identity: String,
        timing: LeaseTiming = .standard,
        clock: C = ContinuousClock(),
        now: @escaping @Sendable () -> Timestamp = { .now },
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1.2) },
        logger: Logger
    ) {
        self.leases = leases
        self.name = name
        self.identity = identity
        self.timing = timing
        self.clock = clock
        self.now = now
        self.jitter = jitter
        self.logger = logger
    }

    /// Waits until this process leads, and does the work as long as it does.
    ///
    /// When the task is cancelled, the work is cancelled, and the Lease is renewed until the work has ended; then it is given
    /// back, so that the next one needn't wait.
    /// - Parameters:
    ///   - standsBy: told who leads, when it is another one, and each time it changes.
    ///   - overdue: called when work that was cancelled since the Lease was lost still goes on when another one may begin. A
    ///     process that can't have that ends there.
    ///   - work: what only the leader does; has to end soon when it is cancelled.
    /// - Returns: why the term ended.
    /// - Throws: the work's error, after the Lease was given back; `CancellationError` when the task is cancelled before this
    ///   process leads.
    public func lead(
        standsBy: @Sendable (_ leader: String) -> Void = { _ in },
        overdue: @escaping @Sendable () -> Void,
        _ work: @escaping @Sendable () async throws -> Void
    ) async throws -> End {
        let renewed = try await acquire(standsBy)
        logger.notice("leading", metadata: ["lease": "\(name)", "identity": "\(identity)"])
        let (stop, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        // A child task would be cancelled as a whole with its parent; here only the work is to be. It is waited for.
        let term = Task { try await serve(since: renewed, stop: stop, signal: signal, overdue: overdue, work) }
        return try await withTaskCancellationHandler {
            try await term.value
        } onCancel: {
            signal.finish()
        }
    }

    /// What happens during a term.
    enum Event: Sendable {
        case ended(Result<Void, any Error>)
        /// Why, and when the last renewal was begun.
        case lost(String, renewed: C.Instant)
        case overdue
        case cancelled
    }

    private func serve(
        since renewed: C.Instant,
        stop: AsyncStream<Void>,
        signal: AsyncStream<Void>.Continuation,
        overdue: @escaping @Sendable () -> Void,
        _ work: @escaping @Sendable () async throws -> Void
    ) async throws -> End {
        var lost: String?
        var result: Result<Void, any Error> = .success(())
        await withTaskGroup(of: Event.self) { group in
            group.addTask { .ended(await Self.work(until: stop, work)) }
            group.addTask { await keep(since: renewed) }
            for await event in group {
                switch event {
                case .ended(let outcome):
                    result = outcome
                    group.cancelAll()
                case .lost(let reason, let renewed):
                    logger.error("not leading any more", metadata: ["lease": "\(name)", "reason": "\(reason)"])
                    lost = reason
                    signal.finish()
                    group.addTask {
                        let limit = renewed.advanced(by: timing.duration)
                        do { try await clock.sleep(until: limit, tolerance: nil) } catch { return .cancelled }
                        return .overdue
                    }
                case .overdue:
                    logger.critical("work goes on although another one may lead", metadata: ["lease": "\(name)"])
                    overdue()
                case .cancelled: continue
                }
            }
        }
        // An error of work that was cancelled is no news.
        if let lost { return .lost(reason: lost) }
        await release()
        try result.get()
        return .finished
    }

    /// Does the work until it ends; it is cancelled when the stream ends.
    private static func work(
        until stop: AsyncStream<Void>,
        _ work: @escaping @Sendable () async throws -> Void
    ) async -> Result<Void, any Error> {
        await withTaskGroup(of: Result<Void, any Error>?.self) { group in
            group.addTask {
                do { return .success(try await work()) } catch { return .failure(error) }
            }
            group.addTask {
                for await _ in stop {}
                return nil
            }
            var result: Result<Void, any Error> = .success(())
            for await outcome in group {
                if let outcome { result = outcome }
                group.cancelAll()
            }
            return result
        }
    }
}
