public import Model

/// Where the desired state of scheduled bots is written, with each one's cursor.
public protocol ScheduleStore: Sendable {
    /// Every schedule there is, switched on or not; a broken document is one entry among the others, and so are documents that
    /// share one id: no id comes twice.
    /// - Throws: ``StoreError`` when not all can be read: part of the truth isn't the truth.
    func schedules() async throws(StoreError) -> [StoredSchedule]

    /// Those of some ids that there are.
    /// - Throws: ``StoreError`` when the store can't tell.
    func schedules(_ ids: [BotID]) async throws(StoreError) -> [StoredSchedule]

    /// Moves cursors on: each by itself, and only if expression and cursor stand as they were read. There is at most one move
    /// of a schedule; one to where its cursor stands already is none.
    /// - Returns: the schedules whose cursor was moved by this call: of several movers exactly one is told that he did.
    /// - Throws: ``StoreError`` when it isn't known which were: some, all or none.
    func move(_ moves: [CursorMove]) async throws(StoreError) -> Set<BotID>
}

/// A cursor to set, if nobody has changed what it was reckoned from.
public struct CursorMove: Sendable, Hashable {
    /// The schedule.
    public var id: BotID
    /// `config.schedule` as it was read.
    public var schedule: String
    /// The cursor as it was read.
    public var from: ScheduleCursor
    /// `next_execution_time` to be.
    public var to: Int64
    /// `cursor_basis` to be.
    public var basis: String

    /// A move of a schedule's cursor.
    public init(of schedule: BotSchedule, to time: Int64, basis: String) {
        id = schedule.id
        self.schedule = schedule.schedule
        from = schedule.cursor
        to = time
        self.basis = basis
    }
}

/// A schedule as a store has it: usable, or present but broken.
public enum StoredSchedule: Sendable, Hashable {
    /// A schedule, switched on or not.
    case schedule(BotSchedule)
    /// A schedule that is switched off and broken otherwise: nothing is wrong as long as it stays off.
    case off(BotID)
    /// A document that can't be used.
    case broken(BotID?, DocumentError)

    /// The id, where it is known.
    public var id: BotID? {
        switch self {
        case .schedule(let schedule): schedule.id
        case .off(let id): id
        case .broken(let id, _): id
        }
    }

    /// Reads a document.
    public init(document: JSONObject) {
        do { self = .schedule(try BotSchedule(document: document)) } catch {
            guard let id = try? Bot.id(of: document) else {
                self = .broken(nil, error)
                return
            }
            self = Bot.isSwitchedOff(document) ? .off(id) : .broken(id, error)
        }
    }

    /// Joins documents that claim the same id into one broken entry each: which of them is meant can't be known.
    public static func resolvingDuplicates(_ entries: [StoredSchedule]) -> [StoredSchedule] {
        var counts: [BotID: Int] = [:]
        for id in entries.lazy.compactMap(\.id) { counts[id, default: 0] += 1 }
        guard counts.contains(where: { $0.value > 1 }) else { return entries }
        var reported: Set<BotID> = []
        return entries.compactMap { entry in
            guard let id = entry.id, let count = counts[id], count > 1 else { return entry }
            guard reported.insert(id).inserted else { return nil }
            return .broken(id, .sharedID(id, documents: count))
        }
    }
}

extension DocumentError {
    /// Several documents have the same id.
    static func sharedID(_ id: BotID, documents count: Int) -> DocumentError {
        DocumentError(id: id.text, field: "id", problem: "stands in \(count) documents; expected one")
    }
}
