import Model
import Util

/// Whose lines are stored when: those that wait longest first, a few bots at a time, none twice at once; and none for a while
/// after the object store failed.
struct StoreSchedule {
    private struct Entry {
        var bytes = 0
        /// What of it came while the others were being stored.
        var meanwhile = 0
        /// When the first line that waits came, on the loop's clock.
        var since: Duration
        var object: Int64?
        var isUrgent = false
        var isRunning = false
        var lastStored: Duration?
        var failures = 0
        var notBefore = Duration.zero
    }

    private let policy: StorePolicy
    private let backoff: Backoff
    private let parallel: Int
    private var entries: [BotID: Entry] = [:]
    private var running = 0
    /// Failures one after the other, whichever bot's.
    private(set) var failures = 0
    private var pausedUntil = Duration.zero

    init(policy: StorePolicy, backoff: Backoff, parallel: Int) {
        self.policy = policy
        self.backoff = backoff
        self.parallel = parallel
    }

    /// Notes that a bot has lines that wait.
    /// - Returns: whether that can make something due earlier than before.
    mutating func add(_ id: BotID, bytes: Int, isUrgent: Bool, at now: Duration) -> Bool {
        var entry = entries[id] ?? Entry(since: now)
        let before = entry.bytes > 0 ? due(entry) : nil
        if entry.bytes == 0 { entry.since = now }
        entry.bytes += bytes
        if entry.isRunning { entry.meanwhile += bytes }
        entry.isUrgent = entry.isUrgent || isUrgent
        entries[id] = entry
        guard entry.bytes > 0, !entry.isRunning else { return false }
        return before.map { due(entry) < $0 } ?? true
    }

    /// The bots whose lines are to be stored now.
    mutating func take(at now: Duration) -> [BotID] {
        guard now >= pausedUntil else { return [] }
        // After a failure one tries, for all.
        let free = (failures > 0 ? 1 : parallel) - running
        guard free > 0 else { return [] }
        let ready = entries.filter { $0.value.bytes > 0 && !$0.value.isRunning && due($0.value) <= now }
        let chosen = ready.sorted { $0.value.since < $1.value.since }.prefix(free).map(\.key)
        for id in chosen {
            entries[id]?.isRunning = true
            running += 1
        }
        return chosen
    }

    /// How long until something may be due; nil when nothing waits.
    func wait(at now: Duration) -> Duration? {
        let limit = failures > 0 ? 1 : parallel
        guard running < limit else { return nil }
        let waiting = entries.values.filter { $0.bytes > 0 && !$0.isRunning }
        guard let first = waiting.map({ due($0) }).min() else { return nil }
        return max(.zero, max(first, pausedUntil) - now)
    }

    /// Notes that a bot's lines were stored.
    /// - Parameter left: how many bytes wait still.
    mutating func stored(_ id: BotID, left: Int, object: Int64?, at now: Duration) {
        let most = policy.size
        finish(id) { entry in
            entry.failures = 0
            entry.notBefore = .zero
            // What came meanwhile may have come after the rest was counted.
            entry.bytes = max(left, entry.meanwhile)
            // A backlog goes on at once, but behind the others.
            entry.since = now
            entry.isUrgent = left >= most
            entry.lastStored = left >= most ? nil : now
            entry.object = object ?? entry.object
        }
        failures = 0
        pausedUntil = .zero
    }

    /// Notes that they couldn't be.
    mutating func failed(_ id: BotID, at now: Duration) {
        failures += 1
        pausedUntil = now + backoff.delay(attempt: failures, seed: "store")
        let backoff = backoff
        finish(id) { entry in
            entry.failures += 1
            entry.notBefore = now + backoff.delay(attempt: entry.failures, seed: id.text)
        }
    }

    private mutating func finish(_ id: BotID, _ change: (inout Entry) -> Void) {
        guard var entry = entries[id], entry.isRunning else { return }
        entry.isRunning = false
        running -= 1
        change(&entry)
        entry.meanwhile = 0
        entries[id] = entry
    }

    private func due(_ entry: Entry) -> Duration {
        var due = entry.since + policy.wait(bytes: entry.bytes, object: entry.object)
        if entry.isUrgent {
            due = min(due, max(entry.since, entry.lastStored.map { $0 + policy.pause } ?? entry.since))
        }
        return max(due, entry.notBefore)
    }
}
