import Model
import Runtime
import Util

/// Which runs of all bots are followed, which wait for their turn, and which are done.
///
/// The lines of a run that has ended come before those of its successor.
struct FollowedRuns {
    enum Phase: Equatable {
        /// Not begun: an ended run before it isn't read to its end yet, or it hasn't been started.
        case waiting
        case followed
        /// Read to its end.
        case done(at: Duration)
    }

    struct Entry {
        var run: ObservedRun
        var phase = Phase.waiting
        /// Whether it wasn't there any more when last looked; what follows it is being stopped then.
        var isGone = false
        /// Ends the following of a run that is gone.
        var stop = Wakeup()
    }

    /// A following that is to begin.
    struct Beginning {
        var run: ObservedRun
        let stop: Wakeup
    }

    /// After how long an observation that still says "running" of a run that was read to its end is believed: it may be older.
    static let settling = Duration.seconds(10)

    private var bots: [BotID: [Entry]] = [:]

    /// The run as it was observed last; nil when it is gone.
    func run(_ id: BotID, _ reference: String) -> ObservedRun? {
        guard let entry = entry(id, reference), !entry.isGone else { return nil }
        return entry.run
    }

    func isDone(_ id: BotID, _ reference: String) -> Bool {
        if case .done = entry(id, reference)?.phase { return true }
        return false
    }

    private func entry(_ id: BotID, _ reference: String) -> Entry? {
        bots[id]?.first { $0.run.reference == reference }
    }

    /// Takes in what there is of all bots, or of one.
    mutating func observed(_ runs: [ObservedRun], of id: BotID?, at now: Duration) -> [Beginning] {
        var byBot = Dictionary(grouping: runs, by: \.id)
        let ids = id.map { [$0] } ?? Array(Set(bots.keys).union(byBot.keys))
        var beginnings: [Beginning] = []
        for id in ids {
            take(byBot.removeValue(forKey: id) ?? [], of: id, at: now)
            beginnings += begin(id)
        }
        return beginnings
    }

    /// Takes in one run beside those that are known.
    mutating func observed(_ run: ObservedRun, at now: Duration) -> [Beginning] {
        guard entry(run.id, run.reference) == nil else { return begin(run.id) }
        bots[run.id, default: []].append(Entry(run: run))
        bots[run.id]?.sort { $0.run.createdAt < $1.run.createdAt }
        return begin(run.id)
    }

    /// Notes that a run was read to its end.
    mutating func ended(_ id: BotID, _ reference: String, at now: Duration) -> [Beginning] {
        guard let index = bots[id]?.firstIndex(where: { $0.run.reference == reference }) else { return begin(id) }
        bots[id]?[index].phase = .done(at: now)
        return begin(id)
    }

    /// Notes that the following of a run was stopped before its end.
    mutating func stopped(_ id: BotID, _ reference: String) -> [Beginning] {
        guard let index = bots[id]?.firstIndex(where: { $0.run.reference == reference }) else { return begin(id) }
        if bots[id]?[index].isGone == true {
            bots[id]?.remove(at: index)
            if bots[id]?.isEmpty == true { bots[id] = nil }
        } else {
            bots[id]?[index].phase = .waiting
            bots[id]?[index].stop = Wakeup()
        }
        return begin(id)
    }

    private mutating func take(_ runs: [ObservedRun], of id: BotID, at now: Duration) {
        let known = Dictionary(uniqueKeysWithValues: (bots[id] ?? []).map { ($0.run.reference, $0) })
        let references = Set(runs.map(\.reference))
        var entries: [Entry] = []
        for var entry in bots[id] ?? [] where !references.contains(entry.run.reference) && entry.phase == .followed {
            // Kept until its following has ended: it may be back before that.
            entry.isGone = true
            entry.stop.wake()
            entries.append(entry)
        }
        var seen: Set<String> = []
        for run in runs.sorted(by: { $0.createdAt < $1.createdAt }) where seen.insert(run.reference).inserted {
            var entry = known[run.reference] ?? Entry(run: run)
            entry.isGone = false
            if case .done(let at) = entry.phase, run.isRunning,
                run.lastStart > entry.run.lastStart || now - at > Self.settling
            {
                entry.phase = .waiting
            }
            entry.run = run
            entries.append(entry)
        }
        entries.sort { $0.run.createdAt < $1.run.createdAt }
        bots[id] = entries.isEmpty ? nil : entries
    }

    private mutating func begin(_ id: BotID) -> [Beginning] {
        guard let entries = bots[id] else { return [] }
        var beginnings: [Beginning] = []
        for index in entries.indices where entries[index].phase == .waiting && entries[index].run.phase != .created {
            let mustWait = entries[..<index].contains { earlier in
                guard !earlier.isGone, !earlier.run.isRunning, earlier.run.phase != .created else { return false }
                if case .done = earlier.phase { return false }
                return true
            }
            guard !mustWait else { break }
            bots[id]?[index].phase = .followed
            beginnings.append(Beginning(run: entries[index].run, stop: entries[index].stop))
            // The next one has to see it.
            if !entries[index].run.isRunning { break }
        }
        return beginnings
    }
}
