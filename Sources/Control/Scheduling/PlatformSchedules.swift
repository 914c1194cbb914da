public import Model
public import Runtime
import Synchronization
public import Util

/// The schedules whose slots are a platform's own affair, as bots whose run is the platform's schedule: what a `Reconciler` keeps
/// equal to them.
///
/// Whose a schedule's slots are is decided from its document alone; who may act on it stands beside its cursor. Before the
/// platform's schedule is made, changed or removed, ``handOver(_:_:)`` sets the cursor's basis to one that no scheduler reckons by.
/// A `Scheduler` therefore never finds a cursor from which it could make up for slots that the platform ran: it takes the
/// schedule up only when the platform has nothing of it any more, and sets the cursor anew, from that moment on.
public final class PlatformSchedules: BotStore, Sendable {
    private let schedules: any ScheduleStore
    private let runs: any RunStore
    private let platform: any SchedulePlatform
    private let builder: LaunchSpecBuilder
    private let zones: TimeZoneDatabase
    private let now: @Sendable () -> Timestamp
    private let known = Mutex<[BotID: Known]>([:])

    private struct Known {
        let rule: ScheduleRule
        let terms: Result<JSONValue, PlatformLimit>
    }

    /// The schedules of a store.
    /// - Parameters:
    ///   - schedules: all schedules.
    ///   - runs: what a scheduler has claimed and not ended keeps the platform from taking a schedule over.
    ///   - platform: what it can keep.
    ///   - builder: makes specifications of programs.
    ///   - zones: where time zones are looked up.
    ///   - now: the wall clock.
    public init(
        schedules: any ScheduleStore,
        runs: any RunStore,
        platform: any SchedulePlatform,
        builder: LaunchSpecBuilder,
        zones: TimeZoneDatabase = .system,
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now }
    ) {
        self.schedules = schedules
        self.runs = runs
        self.platform = platform
        self.builder = builder
        self.zones = zones
        self.now = now
    }

    /// Every schedule: switched off are also those whose slots are the scheduler's.
    public func bots() async throws(StoreError) -> [StoredBot] {
        let stored = try await schedules.schedules()
        let ids = Set(stored.compactMap(\.id))
        known.withLock { known in known = known.filter { ids.contains($0.key) } }
        return stored.map(entry)
    }

    /// One schedule, in the same way.
    public func bot(_ id: BotID) async throws(StoreError) -> StoredBot? {
        try await schedules.schedules([id]).first.map(entry)
    }

    private func entry(_ stored: StoredSchedule) -> StoredBot {
        switch stored {
        case .off(let id): return .off(id)
        case .broken(let id, let error): return .broken(id, error)
        case .schedule(let schedule):
            guard schedule.bot.isEnabled else { return .off(schedule.id) }
            do throws(DocumentError) {
                let rule = try ScheduleRule(schedule, zones: zones)
                // A platform that is told to wait makes up afterwards for what passed; one that has nothing doesn't.
                guard !rule.policy.isSuspended, takes(rule, of: schedule.id) else { return .off(schedule.id) }
            } catch {
                return .broken(schedule.id, error)
            }
            var bot = schedule.bot
            bot.config["schedule"] = .string(schedule.schedule)
            return .bot(bot)
        }
    }

    /// Whether a schedule's slots are the platform's own affair.
    public func takes(_ rule: ScheduleRule, of id: BotID) -> Bool {
        if case .success = terms(of: rule, id) { true } else { false }
    }

    /// Why a schedule's slots aren't the platform's own affair; nil where they are.
    public func limit(of rule: ScheduleRule, id: BotID) -> PlatformLimit? {
        if case .failure(let limit) = terms(of: rule, id) { limit } else { nil }
    }

    private func terms(of rule: ScheduleRule, _ id: BotID) -> Result<JSONValue, PlatformLimit> {
        if let known = known.withLock({ $0[id] }), known.rule == rule { return known.terms }
        let terms = Result { () throws(PlatformLimit) in try platform.terms(of: rule) }
        known.withLock { $0[id] = Known(rule: rule, terms: terms) }
        return terms
    }

    /// What a stored schedule, or none, asks the platform for: for `ReconcilerOptions.desire`.
    public func desire(_ stored: StoredBot?) -> Desired {
        guard case .bot(let bot) = stored else { return Desired(stored, builder: builder, restart: .standard) }
        do throws(DocumentError) {
            let rule = try ScheduleRule(
                BotSchedule(bot: bot, schedule: bot.config["schedule"]?.string ?? ""),
                zones: zones
            )
            guard case .success(let terms) = terms(of: rule, bot.id) else { return .disabled }
            let executable = Executable(id: bot.id, kind: .scheduled, config: bot.config, custom: bot.custom)
            return .running(try builder.spec(for: executable).under(terms), .standard)
        } catch {
            return .unknown(error)
        }
    }

    /// Those of some schedules that the platform still has something of.
    func kept(_ ids: [BotID]) async throws(StoreError) -> Set<BotID> {
        do { return try await platform.kept(ids) } catch {
            throw StoreError(error.code == .cancelled ? .cancelled : .unavailable, error.message, cause: error)
        }
    }
}

extension PlatformSchedules {
    /// What a cursor is reckoned by whose schedule is the platform's: no scheduler reckons by it.
    static func basis(_ rule: ScheduleRule) -> String { mark + rule.basis }

    private static let mark = "platform: "

    /// Whether a cursor was set when the platform took the schedule.
    static func isHandedOver(_ cursor: ScheduleCursor) -> Bool { cursor.basis?.hasPrefix(mark) ?? false }

    /// Sees to it that no scheduler takes slots of a schedule any more: for `ReconcilerOptions.beforeActions`.
    ///
    /// A platform's schedule is only begun when every run that a scheduler has begun for a slot has ended.
    /// - Throws: `RunnerError` when that can't be done or isn't so yet; nothing may be done then.
    public func handOver(_ id: BotID, _ actions: [Action]) async throws(RunnerError) {
        let isStart = actions.contains { if case .start = $0 { true } else { false } }
        let going: RunRecord?
        do throws(StoreError) {
            // What is gone, or can't be read, is no scheduler's either.
            guard case .schedule(let schedule)? = try await schedules.schedules([id]).first,
                let rule = try? ScheduleRule(schedule, zones: zones)
            else { return }
            try await mark(schedule, rule)
            guard isStart, rule.policy.overlap != .allow else { return }
            going = try await runs.unfinished(of: [id]).first { $0.slot.trigger == .schedule }
        } catch {
            let code: RunnerError.Code = error.code == .cancelled ? .cancelled : .unavailable
            throw RunnerError(code, "handing the schedule's slots over: \(error.message)", cause: error)
        }
        guard let going else { return }
        throw RunnerError(.conflict, "the run for \(SlotPlan.text(going.slot)), begun by a scheduler, still goes")
    }

    private func mark(_ schedule: BotSchedule, _ rule: ScheduleRule) async throws(StoreError) {
        let basis = Self.basis(rule)
        guard schedule.cursor.basis != basis, let next = rule.next(after: now().secondsSince1970) else { return }
        let move = CursorMove(of: schedule, to: next, basis: basis)
        guard try await schedules.move([move]).contains(schedule.id) else {
            throw StoreError(.unavailable, "it was changed at this moment")
        }
    }
}
