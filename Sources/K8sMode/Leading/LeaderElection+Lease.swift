import Logging
import Model
import Util

extension LeaderElection {
    /// Tries until the Lease is ours.
    /// - Returns: when the request was begun that made it so.
    /// - Throws: `CancellationError`.
    func acquire(_ standsBy: @Sendable (_ leader: String) -> Void) async throws -> C.Instant {
        var record = LeaseRecord<C.Instant>()
        var leader: String?
        var lastProblem: String?
        while true {
            try Task.checkCancellation()
            do throws(K8sError) {
                let before = record
                let attempt = try await within(clock.now.advanced(by: timing.renewDeadline)) { () throws(K8sError) in
                    try await take(before)
                }
                record = attempt.record
                lastProblem = nil
                if let began = attempt.began { return began }
                if let holder = attempt.holder, holder != leader {
                    leader = holder
                    logger.info("standing by", metadata: ["lease": "\(name)", "leader": "\(holder)"])
                    standsBy(holder)
                }
            } catch {
                // The same over and over is told once; that others are faster isn't told at all.
                if error.code != .conflict, error.code != .alreadyExists, error.code != .cancelled,
                    error.message != lastProblem
                {
                    logger.warning("can't get the Lease", metadata: ["lease": "\(name)", "error": "\(error)"])
                    lastProblem = error.message
                }
            }
            let pause = timing.retryPeriod * (1 + jitter())
            try await clock.sleep(until: clock.now.advanced(by: pause), tolerance: nil)
        }
    }

    /// What came of one attempt to get the Lease.
    struct Attempt: Sendable {
        var record: LeaseRecord<C.Instant>
        /// Whose it is at the moment, where it is another one's.
        var holder: String?
        /// When the request was begun that made it ours.
        var began: C.Instant?
    }

    private func take(_ record: LeaseRecord<C.Instant>) async throws(K8sError) -> Attempt {
        var attempt = Attempt(record: record)
        guard var lease = try await leases.get(name) else {
            let began = clock.now
            _ = try await leases.create(held(Lease(name: name), transitions: 0))
            attempt.began = began
            return attempt
        }
        attempt.holder = attempt.record.observe(lease, at: clock.now, duration: timing.duration)
        guard attempt.holder == nil else { return attempt }
        lease = held(lease, transitions: lease.transitions + 1)
        let began = clock.now
        // Only over the very version that was found free.
        _ = try await leases.replace(lease)
        attempt.began = began
        return attempt
    }

    private func held(_ lease: Lease, transitions: Int) -> Lease {
        var lease = lease
        let now = now()
        lease.holder = identity
        lease.durationSeconds = timing.durationSeconds
        lease.acquired = now
        lease.renewed = now
        lease.transitions = transitions
        return lease
    }

    /// Renews the Lease until it is lost, or until cancelled.
    func keep(since start: C.Instant) async -> Event {
        var renewed = start
        var problem = "nothing was tried"
        while true {
            let deadline = renewed.advanced(by: timing.renewDeadline)
            do {
                let next = min(clock.now.advanced(by: timing.retryPeriod), deadline)
                try await clock.sleep(until: next, tolerance: nil)
            } catch {
                return .cancelled
            }
            guard clock.now < deadline else {
                return .lost("not renewed within \(timing.renewDeadline): \(problem)", renewed: renewed)
            }
            let began = clock.now
            do throws(K8sError) {
                let holder = try await within(deadline) { () throws(K8sError) in try await renew() }
                guard holder == identity else {
                    return .lost("it is held by \(holder.escapedForMessage)", renewed: renewed)
                }
                renewed = began
            } catch {
                if Task.isCancelled { return .cancelled }
                problem = error.message
                logger.warning("can't renew the Lease", metadata: ["lease": "\(name)", "error": "\(error)"])
            }
        }
    }

    /// - Returns: who holds it now.
    private func renew() async throws(K8sError) -> String {
        guard var lease = try await leases.get(name) else {
            // Somebody deleted it; whoever makes it first has it.
            _ = try await leases.create(held(Lease(name: name), transitions: 0))
            return identity
        }
        guard lease.holder == identity else { return lease.holder ?? "" }
        lease.renewed = now()
        lease.durationSeconds = timing.durationSeconds
        _ = try await leases.replace(lease)
        return identity
    }

    /// Gives the Lease back, so that the next one needn't wait until it has run out. That it doesn't work is no harm.
    func release() async {
        do throws(K8sError) {
            try await within(clock.now.advanced(by: timing.retryPeriod * 2)) { () throws(K8sError) in
                guard var lease = try await leases.get(name), lease.holder == identity else { return }
                lease.holder = nil
                // As client-go does it: for readers that take the duration without looking for a holder.
                lease.durationSeconds = 1
                lease.renewed = now()
                _ = try await leases.replace(lease)
            }
            logger.info("the Lease is given back", metadata: ["lease": "\(name)"])
        } catch {
            logger.warning("can't give the Lease back", metadata: ["lease": "\(name)", "error": "\(error)"])
        }
    }

    /// Breaks a request off at a moment: what its answer says after that, nobody could rely on.
    private func within<Value: Sendable>(
        _ deadline: C.Instant,
        _ request: @escaping @Sendable () async throws(K8sError) -> Value
    ) async throws(K8sError) -> Value {
        let outcome = await withTaskGroup(of: Result<Value, K8sError>?.self) { group in
            group.addTask {
                do throws(K8sError) { return .success(try await request()) } catch { return .failure(error) }
            }
            group.addTask { [clock] in
                // Ends early when the request is done.
                try? await clock.sleep(until: deadline, tolerance: nil)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        guard let outcome else {
            throw K8sError(Task.isCancelled ? .cancelled : .timedOut, "Lease \(name): no answer in time")
        }
        return try outcome.get()
    }
}
