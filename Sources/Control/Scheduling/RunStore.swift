public import Model

/// Where runs of schedules are kept: what was claimed, what became of it. Every scheduler of a database shares it.
public protocol RunStore: Sendable {
    /// Adds runs, each by itself, unless there is one of its key.
    /// - Returns: the runs that were added. Nobody else has added these.
    /// - Throws: ``StoreError`` when it isn't known which were: some, all or none.
    func add(_ runs: [RunRecord]) async throws(StoreError) -> Set<RunKey>

    /// Puts a record in the place of the one of its key, if that still has the revision before.
    /// - Returns: whether it did; false also when there is none. True as well when this very record stands there already, to
    ///   the last field: then the answer to an earlier call was lost.
    /// - Throws: ``StoreError`` when it isn't known whether it did.
    func replace(_ run: RunRecord) async throws(StoreError) -> Bool

    /// The runs of some keys that there are.
    func runs(_ keys: [RunKey]) async throws(StoreError) -> [RunRecord]

    /// Every run that has not ended, of all schedules or of some.
    /// - Throws: ``StoreError`` when not all can be read.
    func unfinished(of ids: [BotID]?) async throws(StoreError) -> [RunRecord]

    /// The latest runs, newest slot first, of one schedule or of all.
    func history(of id: BotID?, limit: Int) async throws(StoreError) -> [RunRecord]

    /// The newest run of each schedule that has any.
    /// - Parameters:
    ///   - ids: the schedules; nil for all.
    ///   - trigger: only runs of this kind; nil for any.
    /// - Throws: ``StoreError`` when not all can be read.
    func latest(of ids: [BotID]?, trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord]

    /// Forgets the oldest runs of a schedule beyond a number; never one that has not ended.
    func trim(_ id: BotID, keeping count: Int) async throws(StoreError)
}

/// What names a run.
public struct RunKey: Sendable, Hashable {
    /// The schedule.
    public var id: BotID
    /// What it is for.
    public var slot: Slot

    /// The run of a schedule for a slot.
    public init(_ id: BotID, _ slot: Slot) {
        self.id = id
        self.slot = slot
    }
}
