import Logging
import Model
import Runtime
import Synchronization
import Util

extension Scheduler {
    /// Has what is kept for schedules that have been gone for long removed: by the runner, where it can, and of the history.
    ///
    /// Only what is of its own kind: live bots' belongings aren't a scheduler's to judge. Whatever still runs, or waits to,
    /// counts as there.
    func removeLeftovers() async {
        guard let known = memory.withLock({ $0.sightings.keeping(for: options.leftoverAge, at: clock.steady) }) else {
            return
        }
        do {
            let kept = known.union(try await runs.unfinished(of: nil).map(\.id))
            if let housekeeper = runner as? any RunnerHousekeeping {
                try await housekeeper.removeLeftovers(known: kept)
            }
            try await forgetHistory(exceptOf: kept)
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("leftovers not removed", metadata: ["error": "\(error)"])
        }
    }

    /// Forgets the runs of schedules that are gone once their last one ended long ago.
    private func forgetHistory(exceptOf kept: Set<BotID>) async throws(StoreError) {
        let limit = clock.now.advanced(by: .zero - options.historyAge)
        for run in try await runs.latest(of: nil, trigger: nil) where !kept.contains(run.id) {
            guard run.phase == .ended, let end = run.endedAt, end < limit else { continue }
            try await runs.trim(run.id, keeping: 0)
        }
    }
}
