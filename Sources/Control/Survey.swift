public import Model
public import Runtime
public import Util

/// What is desired and what is observed for every bot at one time, with the plan that follows.
public struct Survey: Sendable {
    /// One bot in the survey.
    public struct Entry: Sendable {
        /// The bot.
        public var id: BotID
        /// What should be.
        public var desired: Desired
        /// What is.
        public var observed: [ObservedRun]
        /// What to do.
        public var plan: Plan
    }

    /// Every bot that is desired or observed, in the order of the store, then those that are only observed.
    public var entries: [Entry]
    /// Documents that are broken so that not even their id is known.
    public var unnamed: [DocumentError]
    /// The ids of all bots in the store, whether they run or not.
    public var known: Set<BotID>

    /// Joins a full reading of the store with a full listing of the runner.
    public init(
        stored: [StoredBot],
        observed: [ObservedRun],
        failures: [BotID: StartFailure] = [:],
        updatesInPlace: Bool = false,
        desire: (StoredBot?) -> Desired,
        now: Timestamp
    ) {
        var runs = Dictionary(grouping: observed, by: \.id)
        entries = []
        entries.reserveCapacity(stored.count)
        unnamed = []
        known = []
        func add(_ id: BotID, _ desired: Desired, _ observed: [ObservedRun]) {
            let plan = Plan(
                desired: desired,
                observed: observed,
                failure: failures[id],
                updatesInPlace: updatesInPlace,
                now: now
            )
            entries.append(Entry(id: id, desired: desired, observed: observed, plan: plan))
        }
        for bot in stored {
            guard let id = bot.id else {
                if case .broken(_, let error) = bot { unnamed.append(error) }
                continue
            }
            known.insert(id)
            add(id, desire(bot), runs.removeValue(forKey: id) ?? [])
        }
        for (id, orphans) in runs.sorted(by: { $0.key < $1.key }) { add(id, desire(nil), orphans) }
    }
}
