import Logging
import Model
import Runtime
import Synchronization
import Util

extension LogCollector {
    /// Follows a run to its end, however often that has to be begun again, unless it is gone or its turn is over before.
    func follow(_ beginning: FollowedRuns.Beginning) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.turns.inTurn(beginning.stop) { await self.followToEnd(beginning.run) } }
            group.addTask {
                await beginning.stop.wait(for: nil, clock: self.time.clock)
                return false
            }
            let isAtEnd = await group.next() ?? false
            group.cancelAll()
            // The other may have reached the end while it was told to stop; what it took in is in the spool either way.
            let other = await group.next() ?? false
            if isAtEnd || other { hasEnded(beginning.run) } else { hasStopped(beginning.run) }
        }
    }

    /// - Returns: whether the run was read to its end.
    private func followToEnd(_ run: ObservedRun) async -> Bool {
        var run = run
        var failures = 0
        while !Task.isCancelled {
            let progress = Progress()
            do {
                try await followOnce(run, progress)
                return true
            } catch {
                guard !Task.isCancelled else { return false }
                if progress.hasMoved.load(ordering: .relaxed) { failures = 0 }
                failures += 1
                metrics.followFailed()
                let delay = options.followRetry.delay(attempt: failures, seed: run.reference)
                logger.warning(
                    "a bot's output can't be read for now",
                    metadata: [
                        "bot": "\(run.id)", "run": "\(run.reference)", "error": "\(error)",
                        "next_try_in": "\(GoDuration.string(delay))",
                    ]
                )
                do { try await time.clock.sleep(for: delay) } catch { return false }
            }
            guard let known = runIsKnown(run) else { return false }
            run = known
        }
        return false
    }

    /// Follows a run from where its lines in the spool end to its own end.
    private func followOnce(_ run: ObservedRun, _ progress: Progress) async throws {
        let spool = try await executor.blocking { try self.spool.bot(run.id, now: self.time.wall()) }
        guard case .from(let position) = try await executor.blocking({ try spool.begin(run) }) else { return }
        let masking = options.masking(run.id)
        try await follower.follow(run, after: position, waiting: true) { batch in
            progress.hasMoved.store(true, ordering: .relaxed)
            try await self.take(batch, of: run, into: spool, masking)
        }
        let end = run.exit?.finishedAt ?? time.wall()
        try await executor.blocking {
            self.flush(run.id, isUrgent: true)
            try spool.end(run.reference, at: end)
        }
    }

    private func take(
        _ batch: OutputBatch,
        of run: ObservedRun,
        into spool: BotSpool,
        _ masking: LogMasking?
    ) async throws {
        guard batch.position.isValid else {
            throw LogsError(
                .runner,
                "the place in the output of \(run.reference) is no text of 1 to 200 ASCII characters"
            )
        }
        if batch.hasGap { metrics.gap() }
        let (isFirst, isFull) = spool.add(batch, of: run.reference, masking: masking)
        if isFirst { scheduleWriting(of: run.id) }
        if isFull { try await executor.blocking { self.flush(run.id, isUrgent: false) } }
    }
}

extension OutputPosition {
    var isValid: Bool {
        let bytes = text.utf8
        return (1...200).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// Whether a following has brought anything.
private final class Progress: Sendable {
    let hasMoved = Atomic(false)
}
