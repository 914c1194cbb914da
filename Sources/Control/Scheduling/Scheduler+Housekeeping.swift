import Logging
import Model
import Runtime
import Synchronization
import Util

extension Scheduler {
    /// Has the runner remove what it keeps for schedules that have been gone for long, where it can.
    ///
    /// Only what is of its own kind: live bots' belongings aren't a scheduler's to judge. Whatever still runs, or waits to,
    /// counts as there.
    func removeLeftovers() async {
        guard let housekeeper = runner as? any RunnerHousekeeping,
            let known = memory.withLock({ $0.sightings.keeping(for: options.leftoverAge, at: clock.steady) })
        else { return }
        do {
            let busy = try await runs.unfinished(of: nil).map(\.id)
            try await housekeeper.removeLeftovers(known: known.union(busy))
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("leftovers not removed", metadata: ["error": "\(error)"])
        }
    }
}
